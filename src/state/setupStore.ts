/** What will be trained: the configuration, what is loaded for it, and what a run with it will cost. */
import { create } from "zustand";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import type { Description } from "../worker/description.ts";
import type { DataSummary, ModelSummary, Preflight, StandingAdapters } from "../worker/protocol.ts";
import { changesBetween, isLiveField, problemsOf, type ConfigChange, type Problem } from "./configChanges.ts";

/** What the trainer has loaded, in the words of the configuration. */
export interface LoadedParts {
  readonly backend: RunConfig["backend"];
  readonly model: string;
  readonly weights: RunConfig["baseWeights"];
  /** The adapters that stand on the model. */
  readonly adapters: string;
  /** The set with everything that changes how it is read. */
  readonly data: string;
}

/** Files from the person's disk, kept so that a new trainer can be given them again. */
export interface ChosenFiles {
  readonly model: readonly File[] | null;
  readonly data: readonly File[] | null;
}

interface SetupState {
  /** Null until the trainer has described itself. */
  readonly description: Description | null;
  readonly presetId: string;
  readonly config: RunConfig;
  /** Configuration of the present run; null before the first. */
  readonly runningConfig: RunConfig | null;
  readonly model: ModelSummary | null;
  /** The adapters that stand on the model; null where none was asked for. */
  readonly standing: StandingAdapters | null;
  readonly data: DataSummary | null;
  readonly loaded: LoadedParts | null;
  readonly chosenFiles: ChosenFiles;
  readonly preflight: Preflight | null;
  /** Timed on this machine; null until it was. */
  readonly secondsPerStep: number | null;
  /** What is being loaded, for the chips. */
  readonly loading: "device" | "model" | "adapters" | "data" | null;
  /** How far the model's way onto the device is; null while none is on it. */
  readonly loadingBytes: { readonly doneBytes: number; readonly totalBytes: number } | null;
}

/** The setup of the page. */
export const useSetupStore = create<SetupState>(() => ({
  description: null,
  presetId: "tiny-dpo",
  config: defaultConfig,
  runningConfig: null,
  model: null,
  standing: null,
  data: null,
  loaded: null,
  chosenFiles: { model: null, data: null },
  preflight: null,
  secondsPerStep: null,
  loading: "device",
  loadingBytes: null,
}));

/** The last answer of `setupProblems`: every field of the form asks for the same. */
let known: {
  readonly of: Pick<SetupState, "config" | "preflight">;
  readonly problems: readonly Problem[];
} | null = null;

/** Everything that keeps the present configuration from being trained. */
export function setupProblems({
  config,
  preflight,
}: Pick<SetupState, "config" | "preflight">): readonly Problem[] {
  if (known === null || known.of.config !== config || known.of.preflight !== preflight) {
    known = { of: { config, preflight }, problems: problemsOf(config, preflight) };
  }
  return known.problems;
}

/** Edits that wait for the next run. */
export function pendingChanges(state: Pick<SetupState, "config" | "runningConfig">): ConfigChange[] {
  if (state.runningConfig === null) return [];
  return changesBetween(state.runningConfig, state.config).filter(({ field }) => !isLiveField(field));
}

/** True when nothing waits for the next run: what was counted for the setup then holds for the run. */
export function isRunOfSetup(state: Pick<SetupState, "config" | "runningConfig">): boolean {
  return state.runningConfig !== null && pendingChanges(state).length === 0;
}

/** The part of a configuration that says what stands on the model. */
export function adaptersKey({ adapters }: Pick<RunConfig, "adapters">): string {
  return JSON.stringify(adapters.map(({ id, scale }) => [id, scale]));
}

/** The part of a configuration that decides how a preference set is read. */
export function dataKey(config: RunConfig): string {
  const { model, data, objective, maxTokens, terminator, dataLayout, dataColumns, dataSteps } = config;
  return JSON.stringify([model, data, objective, maxTokens, terminator, dataLayout, dataColumns, dataSteps]);
}
