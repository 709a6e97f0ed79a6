import { namesOf, nameOf, useNameStore, type FeatureNames } from "../../state/featureNames.ts";
import { featureTable } from "../../state/features.ts";
import { saeInUse, saeKey, useSaeStore } from "../../state/saeStore.ts";
import type { FeatureTable } from "../../worker/protocol.ts";

/** The table of the autoencoder in use; null before it was answered. */
export function useTable(): FeatureTable | null {
  const sae = useSaeStore(saeInUse);
  return featureTable.useStore(({ answer }) => (answer?.sae.id === sae?.id ? answer : null));
}

/** Names that people gave to features of the autoencoder in use. */
export function useFeatureNames(): FeatureNames {
  const sae = useSaeStore(saeInUse);
  return useNameStore((state) => namesOf(state, sae === null ? null : saeKey(sae)));
}

/** What a feature of the autoencoder in use is called: a person's name for it, or else what the table suggests. */
export function useFeatureLabel(): (feature: number) => string {
  const names = useFeatureNames();
  const table = useTable();
  return (feature) => nameOf(names, feature, table?.names[feature]);
}
