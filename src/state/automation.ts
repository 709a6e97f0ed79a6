/** The door for programs: `window.prefscope` trains a configuration on the open page and returns its record. */
import { runConfigSchema, type RunConfig } from "../engine/training/config.ts";
import type {
  EvaluatedFeatures,
  MeasuredSae,
  OnlineEvaluation,
  Phase,
  Preflight,
  RoundRecord,
  Sample,
} from "../worker/protocol.ts";
import { TrainerError } from "../worker/rpc.ts";
import { newRunId, startRun } from "./actions.ts";
import { problemsOf } from "./configChanges.ts";
import { callTrainer } from "./connection.ts";
import { useDeviceStore } from "./deviceStore.ts";
import { localId } from "./link.ts";
import { ensureLoaded } from "./loading.ts";
import { openData, openModel } from "./localFiles.ts";
import { useMessageStore } from "./messageStore.ts";
import { featureHistory } from "./movingFeatures.ts";
import { history, isRunActive, useRunStore, type SampleSet } from "./runStore.ts";
import { openSaeFiles } from "./saes.ts";
import { useSaeStore } from "./saeStore.ts";
import { setupProblems, useSetupStore } from "./setupStore.ts";

/** How far a run has come. */
export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  readonly phase: Phase;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The complete record of a run. */
export interface TrainingRecord {
  readonly config: RunConfig;
  readonly environment: Readonly<Record<string, string>>;
  /** Metrics of every step by name, with `step` and `active_ms` among them. */
  readonly steps: readonly Readonly<Record<string, number>>[];
  /** Metrics of every held-out evaluation by name, with `step` among them. */
  readonly evaluations: readonly Readonly<Record<string, number>>[];
  readonly evalBefore: Readonly<Record<string, number>>;
  readonly evalAfter: Readonly<Record<string, number>>;
  /** Mean pooled activation of every feature on the held-out answers, at the first and the last evaluation. */
  readonly featuresBefore: RecordedFeatures | null;
  readonly featuresAfter: RecordedFeatures | null;
  readonly samplesBefore: readonly Sample[];
  readonly samplesAfter: readonly Sample[];
  /** Rounds of an online run; none offline. */
  readonly rounds: readonly RoundRecord[];
  /** Answers to held-out prompts before the first round and after every one; none offline. */
  readonly onlineEvaluations: readonly OnlineEvaluation[];
  readonly elapsedMs: number;
}

/** Features of an evaluation as plain numbers. */
export interface RecordedFeatures {
  readonly saes: readonly MeasuredSae[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

/** Why a run gave no record, as plain data. */
export interface TrainingFailure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** What a page that was opened with `?cli=1` offers to programs. */
export interface Automation {
  /** Settings left out are those of the start preset. Rejects with a `TrainingFailure`. */
  readonly train: (
    config: Partial<RunConfig>,
    onProgress?: (progress: TrainingProgress) => void,
  ) => Promise<TrainingRecord>;
  /** What a run with these settings will cost; trains nothing. Rejects with a `TrainingFailure`. */
  readonly preflight: (config: Partial<RunConfig>) => Promise<PricedSetup>;
}

/** What a run will cost, and how many pairs there are for it. */
export interface PricedSetup extends Preflight {
  readonly trainPairs: number;
  readonly heldoutPairs: number;
}

declare global {
  interface Window {
    prefscope?: Automation;
    prefscopeProgress?: (progress: TrainingProgress) => void;
  }
}

/** Offers `window.prefscope` when the address asks for it; `booted` settles once the page is ready. */
export function offerAutomation(search: string, booted: Promise<void>): void {
  if (new URLSearchParams(search).get("cli") !== "1") return;
  window.prefscope = {
    train: async (config, onProgress) => {
      await booted;
      return trainOnce(config, onProgress).catch((error: unknown) => {
        throw asFailure(error);
      });
    },
    preflight: async (config) => {
      await booted;
      return priceOnce(config).catch((error: unknown) => {
        throw asFailure(error);
      });
    },
  };
}

async function priceOnce(wanted: Partial<RunConfig>): Promise<PricedSetup> {
  const { preflight } = await prepare(wanted);
  const { trainPairs = 0, heldoutPairs = 0 } = useSetupStore.getState().data ?? {};
  return { ...preflight, trainPairs, heldoutPairs };
}

/** Loads what a run needs and counts its cost; rejects when it could not be trained. */
async function prepare(wanted: Partial<RunConfig>): Promise<{ config: RunConfig; preflight: Preflight }> {
  // Nobody is there to be waited for.
  const alone = { onJudgeFailure: "goOn" } as const;
  const config = checkedConfig({ ...useSetupStore.getState().config, ...wanted, ...alone });
  if (config.rounds > 0 && config.judges.some(({ judge }) => judge.kind === "person")) {
    throw failure("CFG-1", "judges: nobody can be asked without a window, so choose another judge.");
  }
  await openChosenFiles(config);
  useSetupStore.setState({ config });
  return { config, preflight: await countCost(config) };
}

async function trainOnce(
  wanted: Partial<RunConfig>,
  onProgress?: (progress: TrainingProgress) => void,
): Promise<TrainingRecord> {
  const { config } = await prepare(wanted);
  const startedAt = performance.now();
  const over = new AbortController();
  const stopTelling = useRunStore.subscribe(() => {
    tell(config, onProgress);
  });
  try {
    const runId = newRunId();
    await Promise.all([runEnded(runId, over.signal), startRun({ runId, config, resume: null })]);
  } finally {
    over.abort();
    stopTelling();
  }
  return recordOf(config, performance.now() - startedAt);
}

/** The configuration when every setting is known and within its range. */
function checkedConfig(wanted: RunConfig): RunConfig {
  const [problem] = problemsOf(wanted, null);
  if (problem !== undefined) throw failure("CFG-1", `${problem.field}: ${problem.message}`);
  return runConfigSchema.parse(wanted);
}

async function openChosenFiles(config: RunConfig): Promise<void> {
  for (const [part, open] of [
    ["model", (files: File[]) => openModel(files, config.baseWeights)],
    ["data", (files: File[]) => openData(files, config)],
  ] as const) {
    if (config[part] !== localId) continue;
    const files = chosenFiles(part);
    if (files.length === 0) throw failure("FIL-1", `No ${part} files were chosen.`);
    await open(files);
    if (useSetupStore.getState().config[part] !== localId) throw lastMessage(`The ${part} was not opened.`);
  }
}

function chosenFiles(part: "model" | "data" | "sae"): File[] {
  return [...(document.querySelector<HTMLInputElement>(`[data-testid="${part}-files"]`)?.files ?? [])];
}

/** Opens the chosen autoencoder, which the run uses unless it names others; it belongs to the loaded model. */
async function openChosenSae(): Promise<void> {
  const files = chosenFiles("sae");
  if (files.length === 0) return;
  await openSaeFiles(files);
  const { refusal } = useSaeStore.getState();
  if (refusal !== null) throw failure("FIL-1", refusal);
}

/** The cost of a run; rejects with the first thing that keeps it from being trained. */
async function countCost(config: RunConfig): Promise<Preflight> {
  await ensureLoaded(config);
  await openChosenSae();
  const preflight = await callTrainer("preflight", { config });
  const [problem] = setupProblems({ config, preflight });
  if (problem !== undefined) throw failure("CFG-1", `${problem.field}: ${problem.message}`);
  return preflight;
}

/** Settles when a run has ended; rejects when it failed or was stopped. Looks away at the signal. */
function runEnded(wantedId: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let hasBegun = false;
    const unsubscribe = useRunStore.subscribe(({ phase, runId, failure: reason }) => {
      if (runId !== wantedId) return;
      hasBegun ||= isRunActive(phase);
      if (!hasBegun || !["done", "failed", "stopped"].includes(phase)) return;
      // The phase changes before the trainer says why.
      if (phase === "failed" && reason === null) return;
      if (phase === "done") resolve();
      else
        reject(reason === null ? failure("RUN-1", "The run was stopped.") : new TrainerError(reason.error));
    });
    signal.addEventListener("abort", unsubscribe);
  });
}

function tell(config: RunConfig, onProgress?: (progress: TrainingProgress) => void): void {
  const { step, phase, latest } = useRunStore.getState();
  const progress = { step, steps: config.steps, phase, metrics: latest };
  onProgress?.(progress);
  window.prefscopeProgress?.(progress);
}

function recordOf(config: RunConfig, elapsedMs: number): TrainingRecord {
  const { before, now, rounds, onlineEvaluations } = useRunStore.getState();
  const { report } = useDeviceStore.getState();
  const samplesOf = (set: SampleSet | null) => set?.samples ?? [];
  return {
    config,
    environment: {
      ...report?.details,
      backend: report?.backend ?? "",
      device: report?.label ?? "",
      userAgent: navigator.userAgent,
    },
    steps: history.steps.map(({ step, activeMs, metrics }) => ({ step, active_ms: activeMs, ...metrics })),
    evaluations: history.evaluations.map(({ step, metrics }) => ({ step, ...metrics })),
    evalBefore: history.evaluations[0]?.metrics ?? {},
    evalAfter: history.evaluations.at(-1)?.metrics ?? {},
    featuresBefore: recorded(featureHistory.ends?.before),
    featuresAfter: recorded(featureHistory.ends?.after),
    samplesBefore: samplesOf(before),
    samplesAfter: samplesOf(now),
    rounds,
    onlineEvaluations,
    elapsedMs,
  };
}

function recorded(features: EvaluatedFeatures | undefined): RecordedFeatures | null {
  if (features === undefined) return null;
  const { saes, chosen, rejected } = features;
  return { saes, chosen: [...chosen], rejected: [...rejected] };
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { name: "TrainingError", code });
}

function lastMessage(fallback: string): Error {
  const last = useMessageStore.getState().messages.at(-1);
  return failure(last?.code ?? "FIL-1", String(last?.details["message"] ?? fallback));
}

function asFailure(error: unknown): TrainingFailure {
  if (!(error instanceof Error)) return { name: "Error", code: "RUN-1", message: String(error) };
  const code = "code" in error ? String(error.code) : "CFG-1";
  return { name: error.name, code, message: error.message };
}
