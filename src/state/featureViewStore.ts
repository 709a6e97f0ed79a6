/** What is looked for, typed and opened on the Features screen; nothing here changes a run. */
import { create } from "zustand";
import type { LookedAt, Steering } from "../worker/protocol.ts";
import type { FeatureQuery } from "./featureList.ts";

/** How a feature is steered, before the trainer is asked. */
export interface SteeringForm {
  readonly mode: Steering["mode"];
  /** Null until somebody chose one: half of the feature's largest activation then. */
  readonly value: number | null;
  /** Null until somebody wrote one: the first example prompt then. */
  readonly prompt: string | null;
  readonly policy: LookedAt;
  readonly seed: number;
  readonly temperature: number;
  readonly maxNewTokens: number;
}

interface FeatureViewState {
  readonly query: FeatureQuery;
  /** Examples with all of their text, or a few tokens around their peak. */
  readonly isWholeText: boolean;
  /** Null until somebody wrote one: the first example prompt then. */
  readonly promptText: string | null;
  readonly promptOrder: "strength" | "frequency";
  /** Features that are active at more than this share of positions are left out of the prompt view. */
  readonly densest: number;
  readonly lookedAt: LookedAt;
  /** Feature whose activations stay on the prompt's tokens; null follows the pointer alone. */
  readonly locked: number | null;
  readonly steering: SteeringForm;
}

/** The state of the Features screen. */
export const useFeatureViewStore = create<FeatureViewState>(() => ({
  query: { text: "", order: "max", favoursChosen: false, withSilent: false },
  isWholeText: false,
  promptText: null,
  promptOrder: "strength",
  densest: 1,
  lookedAt: "reference",
  locked: null,
  steering: {
    mode: "add",
    value: null,
    prompt: null,
    policy: "reference",
    seed: 7,
    temperature: 0.7,
    maxNewTokens: 32,
  },
}));

/** Changes what is looked for. */
export function editQuery(change: Partial<FeatureQuery>): void {
  useFeatureViewStore.setState(({ query }) => ({ query: { ...query, ...change } }));
}

/** Changes how a feature will be steered; a strength belongs to the way it was chosen for. */
export function editSteering(change: Partial<SteeringForm>): void {
  useFeatureViewStore.setState(({ steering }) => {
    const isOtherWay = change.mode !== undefined && change.mode !== steering.mode;
    return { steering: { ...steering, ...(isOtherWay ? { value: null } : {}), ...change } };
  });
}
