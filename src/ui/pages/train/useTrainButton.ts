import { useShallow } from "zustand/react/shallow";
import { pause, restart, resume, stop, train } from "../../../state/actions.ts";
import { useDeviceStore } from "../../../state/deviceStore.ts";
import { remediesNow } from "../../../state/memoryRemedies.ts";
import {
  restartTrainer,
  resumeWithLessMemory,
  resumeWithLowerRate,
  trainOnCpu,
} from "../../../state/recovery.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { pendingChanges, setupProblems, useSetupStore } from "../../../state/setupStore.ts";
import { focusSetting } from "../../components/focusSetting.ts";
import { trainButton, type TrainAction, type TrainButtonView } from "./trainButton.ts";

/** The main button of the studio, ready to be drawn. */
export interface TrainButton extends TrainButtonView {
  readonly press: () => void;
}

/** The main button as the stores have it now. */
export function useTrainButton(): TrainButton {
  const setup = useSetupStore();
  const { phase, isStarting, progress, failure } = useRunStore(
    useShallow((state) => ({
      phase: state.phase,
      isStarting: state.isStarting,
      progress: state.progress,
      failure: state.failure,
    })),
  );
  const isOnCpu = useDeviceStore((state) => state.report?.backend === "cpu");
  const problems = setupProblems(setup);
  const view = trainButton({
    phase,
    isStarting,
    progress,
    isOnCpu,
    hasData: setup.data !== null,
    isLoading: setup.loading !== null,
    problems: problems.length,
    changes: pendingChanges(setup).length,
    secondsForRun: setup.secondsPerStep === null ? null : setup.secondsPerStep * setup.config.steps,
    rounds: setup.config.rounds,
    failureCode: failure?.error.code ?? null,
    lastGoodStep: failure?.lastGoodStep ?? null,
    canShrink: remediesNow(true).length > 0,
  });
  return { ...view, press: () => void perform(view.action, problems[0]?.field ?? "") };
}

function perform(action: TrainAction, problemField: string): unknown {
  const actions: Record<TrainAction, () => unknown> = {
    none: () => undefined,
    "choose-data": () => focusSetting("data"),
    "show-problem": () => focusSetting(problemField),
    train,
    cancel: stop,
    pause,
    resume,
    restart,
    "lower-rate": resumeWithLowerRate,
    "less-memory": resumeWithLessMemory,
    "train-on-cpu": trainOnCpu,
    "restart-trainer": restartTrainer,
  };
  return actions[action]();
}
