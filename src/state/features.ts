/** What the trainer was asked of features, and when it has to be asked again. */
import { create } from "zustand";
import type { SaeSummary } from "../worker/protocol.ts";
import { createAsker } from "./asked.ts";
import { editSteering } from "./featureViewStore.ts";
import { usePlaceStore } from "./place.ts";
import { useRunStore, type RunState } from "./runStore.ts";
import { saeInUse, saeKey, useSaeStore } from "./saeStore.ts";
import { useSetupStore, type LoadedParts } from "./setupStore.ts";

/** Every feature of the autoencoder in use. */
export const featureTable = createAsker("featureTable");

/** The feature that is looked at. */
export const featureDetail = createAsker("featureDetail");

/** The text of the prompt view. */
export const promptFeatures = createAsker("promptFeatures");

/** The text of the feature view's test box. */
export const testedText = createAsker("promptFeatures");

/** What the run changed. */
export const changeReport = createAsker("changeReport");

/** A prompt continued with and without steering. */
export const steeredTexts = createAsker("steer");

/** A token that was pointed at, with the activation of a feature there. */
export interface MarkedToken {
  readonly feature: number;
  readonly token: string;
  readonly activation: number;
}

/** The token whose activation the histogram marks; null when none was pointed at. */
export const useMarkStore = create<{ readonly mark: MarkedToken | null }>(() => ({ mark: null }));

/** Whether a run has tuned the model that the trainer holds. */
export function hasTunedModel({ runId, step }: Pick<RunState, "runId" | "step">): boolean {
  return runId !== null && step > 0;
}

/** Whether a run is changing the model now. */
export function isRunMoving({ phase }: Pick<RunState, "phase">): boolean {
  const moving: readonly (typeof phase)[] = [
    "generating",
    "judging",
    "caching-ref",
    "training",
    "evaluating",
  ];
  return moving.includes(phase);
}

/** What answers about the untouched model depend on; null while there is nothing to ask about. */
export function referenceKey(sae: SaeSummary | null, loaded: LoadedParts | null): string | null {
  if (sae === null || loaded === null || loaded.data === "") return null;
  return [saeKey(sae), loaded.backend, loaded.model, loaded.data].join(" ");
}

/** What answers about both models depend on; a run that goes on counts once it rests. */
export function policyKey(
  reference: string | null,
  { runId, step, phase }: Pick<RunState, "runId" | "step" | "phase">,
): string | null {
  if (reference === null) return null;
  return [reference, runId, isRunMoving({ phase }) ? "moving" : step].join(" ");
}

/** Forgets answers as soon as what they are about is not used any more; the answer ends that. */
export function watchAnswers(): () => void {
  const subject = () => referenceKey(saeInUse(useSaeStore.getState()), useSetupStore.getState().loaded);
  let known = subject();
  const look = () => {
    if (subject() === known) return;
    known = subject();
    for (const asker of [featureTable, featureDetail, promptFeatures, testedText, changeReport, steeredTexts])
      asker.forget();
    useMarkStore.setState({ mark: null });
    editSteering({ value: null });
  };
  const leave = [
    useSaeStore.subscribe(look),
    useSetupStore.subscribe(look),
    usePlaceStore.subscribe(({ feature }, previous) => {
      if (feature === previous.feature) return;
      steeredTexts.forget();
      editSteering({ value: null });
    }),
    useRunStore.subscribe(({ runId }, previous) => {
      if (runId === previous.runId) return;
      changeReport.forget();
      steeredTexts.forget();
    }),
  ];
  return () => {
    for (const unsubscribe of leave) unsubscribe();
  };
}
