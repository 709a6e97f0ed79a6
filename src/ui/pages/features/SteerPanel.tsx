import { Button, NativeSelect, NumberInput, SegmentedControl, Slider, Textarea } from "@mantine/core";
import { useId } from "react";
import { steeredTexts } from "../../../state/features.ts";
import { editSteering, useFeatureViewStore } from "../../../state/featureViewStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { FeatureDetail, LookedAt, SaeSummary, SteeredTexts } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { formatValue } from "../../format.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { partTexts, type PartedText } from "./steeredDifference.ts";
import { useFeatureSources } from "./useFeatureSources.ts";

interface SteerProps {
  readonly sae: SaeSummary;
  readonly detail: FeatureDetail;
}

/** A prompt continued with a feature turned up or down beside the same without, from one seed. */
export function SteerPanel({ sae, detail }: SteerProps) {
  const steering = useFeatureViewStore((state) => state.steering);
  const chip = useSetupStore((state) => state.data?.promptChips[0] ?? "");
  const { answer, refusal, isAsking } = steeredTexts.useStore();
  const { isTuned } = useFeatureSources();
  const largest = largestOf(detail);
  // Half of what the pairs reach changes a text without breaking it.
  const value = steering.value ?? largest / 2;
  const prompt = steering.prompt ?? chip;
  const policy: LookedAt = isTuned ? steering.policy : "reference";
  const run = () => {
    const { mode, seed, temperature, maxNewTokens } = steering;
    const asked = { sae: sae.id, feature: detail.feature, mode, value };
    void steeredTexts.ask({ steering: asked, prompt, policy, seed, temperature, maxNewTokens });
  };
  return (
    <Panel title="Steering" className="steer-panel">
      <div className="steer-form">
        <Strength value={value} largest={largest} isActive={detail.before.density > 0} />
        <SteerFields prompt={prompt} isTuned={isTuned} policy={policy} />
        <Button
          size="xs"
          data-testid="steer-run"
          loading={isAsking}
          disabled={prompt.trim() === ""}
          onClick={run}
        >
          Write both
        </Button>
      </div>
      <Refusal title="Nothing was written." reason={refusal} />
      {answer !== null && <Texts texts={answer} />}
    </Panel>
  );
}

/** The largest activation on the loaded pairs; 1 for a feature that was never active. */
function largestOf({ edges, before }: FeatureDetail): number {
  const end = edges.at(-1) ?? 0;
  return before.density > 0 && end > 0 ? end : 1;
}

interface StrengthProps {
  readonly value: number;
  readonly largest: number;
  /** Whether the feature is active anywhere on the pairs. */
  readonly isActive: boolean;
}

function Strength({ value, largest, isActive }: StrengthProps) {
  const mode = useFeatureViewStore((state) => state.steering.mode);
  const labelId = useId();
  const most = Number((2 * largest).toPrecision(3));
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label="How it is steered"
        data={[
          { value: "add", label: "Add" },
          { value: "clamp", label: "Clamp to" },
        ]}
        value={mode}
        onChange={(chosen) => editSteering({ mode: chosen })}
      />
      <div className="steer-strength">
        <span id={labelId}>
          {mode === "add" ? "Add" : "Clamp to"} <b>{formatValue(value)}</b>{" "}
          {isActive && <span className="note">largest on the pairs: {formatValue(largest)}</span>}
        </span>
        <Slider
          size="sm"
          label={null}
          aria-labelledby={labelId}
          thumbProps={{ "aria-labelledby": labelId }}
          min={mode === "add" ? -most : 0}
          max={most}
          step={most / 40}
          value={value}
          onChange={(chosen) => editSteering({ value: chosen })}
        />
      </div>
    </>
  );
}

interface FieldsProps {
  readonly prompt: string;
  readonly isTuned: boolean;
  readonly policy: LookedAt;
}

function SteerFields({ prompt, isTuned, policy }: FieldsProps) {
  const { seed, temperature, maxNewTokens } = useFeatureViewStore((state) => state.steering);
  return (
    <>
      <Textarea
        size="xs"
        label="Prompt"
        rows={2}
        resize="vertical"
        value={prompt}
        onChange={({ currentTarget }) => editSteering({ prompt: currentTarget.value })}
      />
      <div className="steer-numbers">
        <NativeSelect
          size="xs"
          label="Model"
          value={policy}
          data={[
            { value: "reference", label: "Base" },
            { value: "policy", label: isTuned ? "Tuned" : "Tuned (after a run)", disabled: !isTuned },
          ]}
          onChange={({ currentTarget }) => editSteering({ policy: currentTarget.value as LookedAt })}
        />
        <NumberInput
          size="xs"
          label="Seed"
          min={0}
          max={2_147_483_647}
          allowDecimal={false}
          value={seed}
          onChange={(next) => editSteering({ seed: Number(next) })}
        />
        <NumberInput
          size="xs"
          label="Temperature"
          min={0}
          max={2}
          step={0.1}
          value={temperature}
          onChange={(next) => editSteering({ temperature: Number(next) })}
        />
        <NumberInput
          size="xs"
          label="Tokens"
          min={1}
          max={128}
          allowDecimal={false}
          value={maxNewTokens}
          onChange={(next) => editSteering({ maxNewTokens: Number(next) })}
        />
      </div>
    </>
  );
}

function Texts({ texts: { plain, steered } }: { readonly texts: SteeredTexts }) {
  const [first, second] = partTexts(plain, steered);
  return (
    <>
      <div className="steer-texts">
        <Text title="Plain" testId="steer-plain" text={first} />
        <Text title="Steered" testId="steer-steered" text={second} />
      </div>
      <p className="note" role="status">
        {plain === steered
          ? "Both texts are the same: steer further."
          : "The same seed; from the underlined word on they differ."}
      </p>
    </>
  );
}

interface TextProps {
  readonly title: string;
  readonly testId: string;
  readonly text: PartedText;
}

function Text({ title, testId, text: { shared, own } }: TextProps) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <p data-testid={testId} className="steer-text">
        {shared}
        {own !== "" && <mark>{own}</mark>}
      </p>
    </section>
  );
}
