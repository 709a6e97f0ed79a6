import type { RoundRecord } from "../../../worker/protocol.ts";
import { Icon } from "../../components/Icon.tsx";
import { formatCount, formatShare, formatValue } from "../../format.ts";
import { loopStages, type LoopStage, type LoopState } from "./loopState.ts";
import { regeneratedShare } from "./roundCosts.ts";
import { gapsOf } from "./roundGaps.ts";

/** Names of the stages and what happens in each. */
export const stageTexts: Record<LoopStage, { readonly name: string; readonly help: string }> = {
  generate: { name: "Generate", help: "The model answers prompts." },
  score: { name: "Score", help: "Judges score every answer." },
  select: { name: "Select", help: "A prompt’s best and worst answer become its pair." },
  train: { name: "Train", help: "Steps on all pairs." },
  evaluate: { name: "Evaluate", help: "Held-out prompts; not part of the round." },
};

/** What the diagram is made of. */
interface LoopDiagramProps {
  readonly state: LoopState;
  /** The round whose figures stand in the stages; null before the first. */
  readonly newest: RoundRecord | null;
}

/** The stages of a round in their order; the one that runs is marked and shows how far it is. */
export function LoopDiagram({ state, newest }: LoopDiagramProps) {
  return (
    <>
      <ol className="loop-stages" aria-label="Stages of a round">
        {loopStages.map((stage) => (
          <Stage key={stage} stage={stage} state={state} newest={newest} />
        ))}
      </ol>
      <p className="loop-back">
        <Icon name="restart" size={14} /> After training the next round begins with the model as it is then.
      </p>
    </>
  );
}

interface StageProps extends LoopDiagramProps {
  readonly stage: LoopStage;
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
