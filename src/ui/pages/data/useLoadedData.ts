import { useRevisionStore } from "../../../state/dataAnswers.ts";
import { dataKey, useSetupStore } from "../../../state/setupStore.ts";
import type { DataSummary } from "../../../worker/protocol.ts";

/** How the set stands. */
export interface LoadedData {
  /** The set that the trainer holds; null before there is one. */
  readonly data: DataSummary | null;
  /** What answers about the set depend on; null while there is nothing to ask about. */
  readonly key: string | null;
  readonly isLoading: boolean;
  /** Changes wait for the next run, because the present one is still on the screen. */
  readonly isWaiting: boolean;
  /** What the trainer holds is not what is set up: it is about to be read, or was refused. */
  readonly isOutdated: boolean;
}

/** The set that the trainer holds, and whether it is the one that is set up. */
export function useLoadedData(): LoadedData {
  const data = useSetupStore((state) => state.data);
  const loading = useSetupStore((state) => state.loading);
  const held = useSetupStore((state) => state.loaded?.data ?? "");
  const wanted = useSetupStore((state) => dataKey(state.config));
  const revision = useRevisionStore((state) => state.revision);
  const hasRun = useSetupStore((state) => state.runningConfig !== null);
  const isOutdated = held !== wanted && loading === null;
  return {
    data: held === "" ? null : data,
    key: held === "" || data === null ? null : `${revision} ${held}`,
    isLoading: loading !== null,
    isWaiting: hasRun && isOutdated,
    isOutdated,
  };
}
