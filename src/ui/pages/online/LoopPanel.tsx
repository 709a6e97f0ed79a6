import { Button } from "@mantine/core";
import { useShallow } from "zustand/react/shallow";
import { stop } from "../../../state/actions.ts";
import { isRunActive, useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Icon } from "../../components/Icon.tsx";
import { TrainButton } from "../train/CommandBar.tsx";
import { LoopDiagram, stageTexts } from "./LoopDiagram.tsx";
import { loopState, planSentence, restingLoop, type LoopState } from "./loopState.ts";
import { useOnlineRun } from "./useOnlineRun.ts";

/** The loop as a live diagram, with what it does now and the controls of the run. */
export function LoopPanel() {
  const { hasBegun, config, judgement, ...run } = useOnlineRun();
  const { progress, step } = useRunStore(
    useShallow((state) => ({ progress: state.progress, step: state.step })),
  );
  const data = useSetupStore((state) => state.data);
  const plan = planSentence(config, data?.trainPairs ?? null);
  const state: LoopState = hasBegun
    ? loopState({ ...run, step, progress, judgement }, config.rounds)
    : restingLoop;
  const newest = run.rounds.at(-1) ?? null;
  return (
    <section className="panel loop" aria-label="The loop">
      <div className="loop-bar">
        <TrainButton />
        {isRunActive(run.phase) && (
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
        </p>
      </div>
      <LoopDiagram state={state} newest={newest} />
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
