/** Follows the reference trajectories of the fixtures on whichever backend is open. */
import { expect } from "vitest";
import { readSafetensors } from "../files/safetensors.ts";
import type { InitialValues } from "../adapters/lora.ts";
import { objectives } from "../losses/index.ts";
import type { Objective } from "../losses/objective.ts";
import { canFuse } from "../models/fusedPass.ts";
import { loadModel } from "../models/loadModel.ts";
import { referenceWeights } from "../models/weights.ts";
import { createReferenceCache } from "../reference/referenceCache.ts";
import { isWholeTrajectory, readFixture, readFixtureText } from "../testing/fixtures.ts";
import { openStoriesSae } from "../testing/saeChecks.ts";
import { readStoriesFiles } from "../testing/storiesModel.ts";
import { defaultConfig, loraModules, type RunConfig } from "./config.ts";
import { adamwDefaults } from "./optimizer.ts";
import { train, type TrainingReport } from "./train.ts";

/** The stories model's start of text. */
const BEGIN_OF_TEXT = 1;
/** Steps followed inside `npm test`: the second shows what the first update did. */
const FIRST_STEPS = 2;
/** The run whose evaluation is compared inside `npm test`; the others are about their steps. */
const EVALUATED = "dpo";
/** Relative tolerance of every metric; the floor is for values that are zero up to 32-bit rounding. */
const TOLERANCE = 1e-3;
const FLOOR = 2e-5;

type Metrics = Readonly<Record<string, number>>;

interface FilePair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
  /** Judge scores of the chosen and of the rejected answer. */
  readonly scores: readonly [number, number];
}

interface FileRun {
  readonly objective: string;
  readonly params: Readonly<Record<string, number>>;
  readonly optimizer: {
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
    readonly clip: number | null;
    readonly schedule: RunConfig["schedule"];
  };
  readonly lora: {
    readonly rank: number;
    readonly alpha: number;
    readonly dropout: number;
    readonly targets: RunConfig["loraTargets"];
    readonly initFile: string;
  };
  readonly batchPairs: number;
  readonly steps: readonly Metrics[];
  readonly evalBefore: Metrics;
  readonly evalAfter: Metrics;
  readonly adapterNorms: Readonly<Record<string, readonly [number, number]>>;
}

interface TrajectoryFile {
  readonly train: readonly FilePair[];
  readonly eval: readonly FilePair[];
  readonly runs: Readonly<Record<string, FileRun>>;
}

async function readTrajectories(): Promise<TrajectoryFile | null> {
  const text = await readFixtureText("trajectories/trajectories.json");
  return text === null ? null : (JSON.parse(text) as TrajectoryFile);
}

/** Runs of the file whose objective the studio has. */
export async function trajectoryNames(): Promise<string[]> {
  const file = await readTrajectories();
  return Object.keys(file?.runs ?? {}).filter((name) => name in objectives);
}

/** Another way to compute the same. */
export interface TrajectoryChanges {
  readonly settings?: Partial<Pick<RunConfig, "sharesPrompts" | "checkpointing" | "referenceMode">>;
  /** Layers run on the tape, although they could be fused. */
  readonly isTaped?: boolean;
}

/** Every way but the usual one, which shares prompts and keeps these small layers whole. */
export const trajectoryVariants: readonly (readonly [string, TrajectoryChanges])[] = [
  ["each answer after a prompt of its own", { settings: { sharesPrompts: false } }],
  ["layers computed again", { settings: { checkpointing: "on" } }],
  ["layers on the tape", { isTaped: true }],
  ["the reference run in every step", { settings: { referenceMode: "live" } }],
];

/**
 * Trains as the file says and compares every metric of every step, both evaluations and the final adapter. `changes`
 * are ways to compute that must make no difference.
 */
export async function checkTrajectory(name: string, changes: TrajectoryChanges = {}): Promise<void> {
  const file = await readTrajectories();
  const run = file?.runs[name];
  if (!file || !run) throw new Error(`The trajectory file has no run "${name}".`);
  const { beta1, beta2, epsilon } = run.optimizer;
  expect({ beta1, beta2, epsilon }).toEqual(adamwDefaults);
  const loaded = await loadModel(await readStoriesFiles());
  const sae = await openStoriesSae();
  try {
    const isVariant = changes.isTaped === true || changes.settings !== undefined;
    // Held-out pairs take as long as a few steps.
    const isEvaluated = isWholeTrajectory || (name === EVALUATED && !isVariant);
    const heldoutPairs = tokenPairs(isEvaluated ? file.eval : file.eval.slice(0, 1));
    const config = { ...configOf(run, heldoutPairs.length), ...changes.settings };
    // Without stacks there is nothing that fused layers could read.
    const model = changes.isTaped === true ? { ...loaded.model, stacks: new Map() } : loaded.model;
    expect(canFuse({ model, weights: referenceWeights(model) })).toBe(changes.isTaped !== true);
    const objective = (objectives as Record<string, Objective>)[run.objective];
    if (objective === undefined) throw new Error(`No objective "${run.objective}".`);
    const reports = train({
      model,
      config,
      objective,
      trainPairs: tokenPairs(file.train),
      heldoutPairs,
      reference: createReferenceCache(),
      features: { saes: [sae], startToken: BEGIN_OF_TEXT },
      live: { learningRate: config.learningRate, evalEvery: 0 },
      initialAdapter: await readInitialAdapter(run.lora.initFile),
    });
    for await (const report of reports) {
      if (report.kind === "evaluation" && heldoutPairs.length < file.eval.length) continue;
      await checkReport(report, run);
    }
  } finally {
    sae.dispose();
    loaded.dispose();
  }
}

function configOf(run: FileRun, evalPairs: number): RunConfig {
  return {
    ...defaultConfig,
    method: run.objective,
    params: { ...defaultParameters(run.objective), ...run.params },
    loraRank: run.lora.rank,
    loraAlpha: run.lora.alpha,
    loraDropout: run.lora.dropout,
    loraTargets: loraModules.filter((module) => run.lora.targets.includes(module)),
    learningRate: run.optimizer.learningRate,
    weightDecay: run.optimizer.weightDecay,
    maxGradNorm: run.optimizer.clip ?? 0,
    schedule: run.optimizer.schedule,
    warmupSteps: 0,
    steps: isWholeTrajectory ? run.steps.length : Math.min(FIRST_STEPS, run.steps.length),
    batchPairs: run.batchPairs,
    isShuffled: false,
    evalEvery: 0,
    evalPairs,
  };
}

function defaultParameters(id: string): Record<string, number> {
  const objective = (objectives as Record<string, Objective>)[id];
  return Object.fromEntries((objective?.parameters ?? []).map(({ key, default: value }) => [key, value]));
}

async function checkReport(report: TrainingReport, run: FileRun): Promise<void> {
  if (report.kind === "step") {
    const { [`step`]: _, ...expected } = run.steps[report.step - 1] ?? {};
    // Without an objective that needs it, KL is measured at evaluations only.
    const isMeasured = ([name]: [string, number]) => name in report.metrics || !name.startsWith("kl/");
    compare(
      `step ${report.step}`,
      report.metrics,
      Object.fromEntries(Object.entries(expected).filter(isMeasured)),
    );
  }
  if (report.kind === "evaluation" && (report.step === 0 || report.step === run.steps.length)) {
    const expected = report.step === 0 ? run.evalBefore : run.evalAfter;
    const measured = Object.entries(report.evaluation.metrics).map(([key, value]) => [
      key.replace("eval_", ""),
      value,
    ]);
    compare(`evaluation at ${report.step}`, Object.fromEntries(measured) as Metrics, expected);
  }
  if (report.kind === "milestone" && report.milestone.step === run.steps.length) {
    const saved = await report.milestone.save();
    for (const [module, norms] of Object.entries(run.adapterNorms)) {
      const measured = ["A", "B"].map((factor) => norm(saved[`${module}.lora_${factor}.weight`] ?? []));
      compare(module, { A: measured[0] ?? NaN, B: measured[1] ?? NaN }, { A: norms[0], B: norms[1] });
    }
  }
}

function compare(where: string, measured: Metrics, expected: Metrics): void {
  for (const [name, value] of Object.entries(expected)) {
    // A pair whose margin is zero up to rounding may count either way.
    if (name === "rewards/accuracies" && Math.abs(expected["rewards/margins"] ?? 1) < 1e-6) continue;
    const found = measured[name] ?? NaN;
    const allowed = name === "rewards/accuracies" ? 0 : TOLERANCE * Math.abs(value) + FLOOR;
    const error = Math.abs(found - value);
    expect(error, `${where}: ${name} is ${found}, the reference says ${value}`).toBeLessThanOrEqual(allowed);
  }
}

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

function tokenPairs(pairs: readonly FilePair[]) {
  return pairs.map(({ prompt, chosen, rejected, scores }, row) => ({
    prompt: Int32Array.from(prompt),
    chosen: Int32Array.from(chosen),
    rejected: Int32Array.from(rejected),
    row,
    rewardGap: scores[0] - scores[1],
  }));
}

async function readInitialAdapter(name: string): Promise<InitialValues> {
  const bytes = await readFixture(`trajectories/${name}`);
  if (bytes === null) throw new Error(`The fixture trajectories/${name} is missing.`);
  const prefix = "base_model.model.";
  return new Map([...readSafetensors(bytes, name)].map(([key, array]) => [key.replace(prefix, ""), array]));
}
