import { Button, NumberInput, SegmentedControl, Textarea } from "@mantine/core";
import { useEffect } from "react";
import {
  editSampling,
  sampleAndJudge,
  sampleRound,
  useAnnotationStore,
  type SamplingSettings,
} from "../../../state/annotation.ts";
import { ensureJudges, judgeLabel, judgeList, judgesInUse } from "../../../state/judges.ts";
import { openTab } from "../../../state/navigation.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { hasTunedModel, isRunMoving } from "../../../state/features.ts";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatCount } from "../../format.ts";
import { useLoadedData } from "./useLoadedData.ts";

/** How the model is asked for answers to each prompt, and who chooses between them. */
export function SamplingForm() {
  const { settings, isSampling, refusal } = useAnnotationStore();
  const { key } = useLoadedData();
  const isTuned = useRunStore(hasTunedModel);
  const isMoving = useRunStore(isRunMoving);
  const isJudged = settings.chooser === "judges";
  const own = settings.prompts.split("\n").filter((line) => line.trim() !== "").length;
  const whole = (value: string | number, most: number) =>
    Math.min(Math.max(Math.round(Number(value)) || 1, 1), most);
  return (
    <Panel title="Generate pairs from your model">
      <div className="sampling-form" aria-busy={isSampling}>
        <Chooser settings={settings} who={isTuned ? "The trained model" : "The model, not trained yet,"} />
        <Textarea
          size="xs"
          autosize
          minRows={2}
          maxRows={8}
          label="Prompts, one a line"
          description="Empty takes prompts of the loaded set."
          value={settings.prompts}
          onChange={({ currentTarget }) => editSampling({ prompts: currentTarget.value })}
        />
        <div className="step-form">
          {isJudged && (
            <NumberInput
              size="xs"
              label="Answers a prompt"
              min={2}
              max={64}
              allowDecimal={false}
              data-testid="sampling-answers"
              value={settings.answersPerPrompt}
              onChange={(value) => editSampling({ answersPerPrompt: Math.max(whole(value, 64), 2) })}
            />
          )}
          <NumberInput
            size="xs"
            label="Prompts at most"
            min={1}
            max={200}
            allowDecimal={false}
            data-testid="sampling-count"
            value={settings.count}
            onChange={(value) => editSampling({ count: whole(value, 200) })}
          />
          <NumberInput
            size="xs"
            label="Temperature"
            min={0}
            max={2}
            step={0.1}
            value={settings.temperature}
            onChange={(value) => editSampling({ temperature: Math.min(Math.max(Number(value) || 0, 0), 2) })}
          />
          <NumberInput
            size="xs"
            label="Tokens"
            min={1}
            max={512}
            allowDecimal={false}
            data-testid="sampling-tokens"
            value={settings.maxNewTokens}
            onChange={(value) => editSampling({ maxNewTokens: whole(value, 512) })}
          />
          <NumberInput
            size="xs"
            label="Seed"
            min={0}
            max={2_147_483_647}
            allowDecimal={false}
            value={settings.seed}
            onChange={(value) => editSampling({ seed: Math.max(Math.round(Number(value)) || 0, 0) })}
          />
        </div>
        <Refusal title="The model did not answer." reason={refusal} />
        <div className="dialog-actions">
          <Button
            size="xs"
            data-testid="sample-answers"
            loading={isSampling}
            disabled={key === null || isMoving}
            onClick={() => void (isJudged ? sampleAndJudge() : sampleRound())}
          >
            Generate {formatCount(own === 0 ? settings.count : Math.min(own, settings.count))} ×{" "}
            {isJudged ? settings.answersPerPrompt : 2} answers
          </Button>
          {isMoving && <p className="note">The run has the device. Pause it first.</p>}
        </div>
      </div>
    </Panel>
  );
}

interface ChooserProps {
  readonly settings: SamplingSettings;
  /** Which model answers. */
  readonly who: string;
}

function Chooser({ settings: { chooser, answersPerPrompt }, who }: ChooserProps) {
  const setup = useSetupStore();
  const list = judgeList.useStore((state) => state.answer);
  useEffect(ensureJudges, [setup.loaded]);
  const names = judgesInUse(setup).map(({ judge }) => judgeLabel(judge, list));
  return (
    <>
      <SegmentedControl
        size="xs"
        className="chooser"
        aria-label="Who chooses"
        value={chooser}
        data={[
          { value: "person", label: "You choose" },
          { value: "judges", label: "Judges choose" },
        ]}
        onChange={(value) => editSampling({ chooser: value })}
      />
      {chooser === "person" ? (
        <p className="source-sentence">
          {who} answers every prompt twice. You see both answers without knowing which is which, and choose:
          each choice is a pair.
        </p>
      ) : (
        <p className="source-sentence" data-testid="sampling-judges">
          {who} answers every prompt {formatCount(answersPerPrompt)} times. The judges in use score the
          answers ({names.join(" + ") || "there are none"}), and the best and the worst are a pair.{" "}
          <button type="button" className="link-button" onClick={() => openTab("online", "judges")}>
            Choose judges
          </button>
        </p>
      )}
    </>
  );
}
