import { useShallow } from "zustand/react/shallow";
import { hasTunedModel, isRunMoving, policyKey, referenceKey } from "../../../state/features.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { saeInUse, useSaeStore } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { SaeSummary } from "../../../worker/protocol.ts";

/** What the Features screen is about. */
export interface FeatureSources {
  readonly sae: SaeSummary | null;
  /** Changes with whatever answers about the untouched model depend on; null while nothing can be asked. */
  readonly referenceKey: string | null;
  /** The same for answers about both models. */
  readonly policyKey: string | null;
  /** Whether a run has tuned the model. */
  readonly isTuned: boolean;
  /** Whether a run is changing it now. */
  readonly isMoving: boolean;
}

/** The autoencoder in use and what answers about it depend on. */
export function useFeatureSources(): FeatureSources {
  const sae = useSaeStore(saeInUse);
  const loaded = useSetupStore((state) => state.loaded);
  const reference = referenceKey(sae, loaded);
  return useRunStore(
    useShallow((run) => ({
      sae,
      referenceKey: reference,
      policyKey: policyKey(reference, run),
      isTuned: hasTunedModel(run),
      isMoving: isRunMoving(run),
    })),
  );
}
