import { Button } from "@mantine/core";
import { stop } from "../../../state/actions.ts";
import { openTab } from "../../../state/navigation.ts";
import { isRunActive } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { RoundRecord } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { formatCount, formatShare, formatValue } from "../../format.ts";
import { TrainButton } from "../train/CommandBar.tsx";
import { loopStages, loopState, planSentence, type LoopStage, type LoopState } from "./loopState.ts";
import { gapsOf } from "./roundGaps.ts";
import { regeneratedShare } from "./roundCosts.ts";
import { useOnlineRun } from "./useOnlineRun.ts";

const stageTexts: Record<LoopStage, { readonly name: string; readonly help: string }> = {
  generate: { name: "Generate", help: "The model answers prompts." },
  score: { name: "Score", help: "Judges score every answer." },
  select: { name: "Select", help: "A prompt’s best and worst answer become its pair." },
  train: { name: "Train", help: "Steps on all pairs." },
  evaluate: { name: "Evaluate", help: "Held-out prompts; not part of the round." },
};

/** The loop as a live diagram, with what it does now and the controls of the run. */
export function LoopPanel() {
  const { hasBegun, config, judgement, ...run } = useOnlineRun();
  const data = useSetupStore((state) => state.data);
  const plan = planSentence(config, data?.trainPairs ?? null);
  const state: LoopState = hasBegun
    ? loopState({ ...run, judgement }, config.rounds)
    : { stage: null, progress: null, sentence: "" };
  const newest = run.rounds.at(-1) ?? null;
  return (
    <section className="panel loop" aria-label="The loop">
      <div className="loop-bar">
        <TrainButton />
        {hasBegun && isRunActive(run.phase) && (
          <Button
            variant="default"
            leftSection={<Icon name="stop" />}
            data-testid="stop-button"
            onClick={() => void stop()}
          >
            Stop and keep
          </Button>
        )}
        <p className="loop-sentence" data-testid="loop-sentence">
          {state.sentence || plan || "Reading the set…"}
          {judgement !== null && (
            <Button size="compact-sm" variant="default" onClick={() => openTab("online", "judges")}>
              Judge the answers
            </Button>
          )}
        </p>
      </div>
      <ol className="loop-stages" aria-label="Stages of a round">
        {loopStages.map((stage) => (
          <Stage key={stage} stage={stage} state={state} newest={newest} />
        ))}
      </ol>
      <p className="loop-back">
        <Icon name="restart" size={14} /> After training the next round begins with the model as it is then.
      </p>
      <div className="visually-hidden" role="status" aria-live="polite">
        {state.stage === null ? state.sentence : spoken(state)}
      </div>
    </section>
  );
}

/** The place and the stage without counts, so that it is spoken when the stage changes only. */
function spoken({ sentence, stage }: LoopState): string {
  return `${sentence.split(" – ")[0]}: ${stage === null ? "" : stageTexts[stage].name}.`;
}

interface StageProps {
  readonly stage: LoopStage;
  readonly state: LoopState;
  readonly newest: RoundRecord | null;
}

function Stage({ stage, state, newest }: StageProps) {
  const { name, help } = stageTexts[stage];
  const isNow = state.stage === stage;
  const figures = newest === null ? "" : stageFigures(stage, newest);
  return (
    <li
      className="loop-stage"
      data-stage={stage}
      data-now={isNow}
      {...(isNow ? { "aria-current": "step" as const } : {})}
    >
      <strong>
        {name}
        {isNow && <span className="tag">now</span>}
      </strong>
      <span className="loop-help">{help}</span>
      {isNow && state.progress !== null && state.progress.total > 0 ? (
        <progress
          aria-label={`${name}: how far`}
          max={state.progress.total}
          value={Math.min(state.progress.done, state.progress.total)}
        />
      ) : (
        newest !== null &&
        figures !== "" && (
          <span className="loop-figures">
            Round {newest.round + 1}: {figures}
          </span>
        )
      )}
    </li>
  );
}

function stageFigures(stage: LoopStage, record: RoundRecord): string {
  const score = record.metrics["judge/score"];
  switch (stage) {
    case "generate":
      return `${formatShare(regeneratedShare(record))} of the prompts, ${formatCount(record.generatedTokens)} tokens`;
    case "score":
      return score === undefined ? "" : `mean score ${formatValue(score)}`;
    case "select": {
      const pairs = gapsOf(record).length;
      return `${formatCount(pairs)} of ${formatCount(record.prompts.length)} prompts have a pair`;
    }
    case "train":
      return record.isOver ? `${formatValue(record.seconds.train)} s` : "";
    case "evaluate":
      return "";
  }
}
