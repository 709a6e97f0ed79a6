import { useShallow } from "zustand/react/shallow";
import type { RunConfig } from "../../../engine/training/config.ts";
import { useRunStore, type RunState } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";

/** The run in rounds that the screen shows, without what changes many times a second. */
interface OnlineRun extends Pick<RunState, "phase" | "rounds" | "onlineEvaluations" | "judgement"> {
  /** The run's own setup; before there is a run in rounds, that of the next one. */
  readonly config: RunConfig;
  /** A run in rounds was begun. */
  readonly hasBegun: boolean;
}

/** The run in rounds as the stores have it now. */
export function useOnlineRun(): OnlineRun {
  const run = useRunStore(
    useShallow(({ phase, rounds, onlineEvaluations, judgement }) => ({
      phase,
      rounds,
      onlineEvaluations,
      judgement,
    })),
  );
  const config = useSetupStore((state) => state.config);
  const running = useSetupStore((state) => state.runningConfig);
  const hasBegun = running !== null && running.rounds > 0;
  return { ...run, config: hasBegun ? running : config, hasBegun };
}
