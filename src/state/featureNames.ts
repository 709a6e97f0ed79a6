/** Names that people give to features: kept in the browser, for each autoencoder. */
import { create } from "zustand";
import { readKept, writeKept } from "./keptOnPage.ts";

/** Names by the number of their feature. */
export type FeatureNames = Readonly<Record<number, string>>;

interface NameState {
  /** By autoencoder; filled as they are looked at. */
  readonly bySae: Readonly<Record<string, FeatureNames>>;
}

/** Longest name that is kept. */
export const longestName = 60;

const none: FeatureNames = {};
const keyOf = (sae: string) => `prefscope.feature-names.${sae}`;

/** The names that people gave. */
export const useNameStore = create<NameState>(() => ({ bySae: {} }));

function isNames(value: unknown): value is FeatureNames {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((name) => typeof name === "string")
  );
}

/** Reads the kept names of an autoencoder, once. */
export function readNames(sae: string): void {
  if (useNameStore.getState().bySae[sae] !== undefined) return;
  const names = readKept(keyOf(sae), isNames) ?? {};
  useNameStore.setState(({ bySae }) => ({ bySae: { ...bySae, [sae]: names } }));
}

/** The names of an autoencoder's features. */
export function namesOf({ bySae }: NameState, sae: string | null): FeatureNames {
  return (sae === null ? undefined : bySae[sae]) ?? none;
}

/** Gives a feature a name; an empty one takes it away. */
export function nameFeature(sae: string, feature: number, name: string): void {
  readNames(sae);
  const { [feature]: _previous, ...others } = namesOf(useNameStore.getState(), sae);
  const trimmed = name.trim().slice(0, longestName);
  const names = trimmed === "" ? others : { ...others, [feature]: trimmed };
  useNameStore.setState(({ bySae }) => ({ bySae: { ...bySae, [sae]: names } }));
  writeKept(keyOf(sae), names);
}

/** What a feature is called: the name somebody gave it, else the one its tokens suggest, else nothing. */
export function nameOf(names: FeatureNames, feature: number, suggested: string | undefined): string {
  return names[feature] ?? suggested ?? "";
}
