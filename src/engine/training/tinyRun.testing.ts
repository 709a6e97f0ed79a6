/** Whole training runs on the tiny model, collected for tests. */
import { adaptedModules, trainableShape, type InitialValues } from "../adapters/lora.ts";
import { createRandom } from "../data/random.ts";
import { objectives } from "../losses/index.ts";
import type { Objective } from "../losses/objective.ts";
import type { Model } from "../models/decoder.ts";
import { createReferenceCache } from "../reference/referenceCache.ts";
import { uploadSae, type SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import { defaultConfig, loraModules, type RunConfig } from "./config.ts";
import type { Evaluation } from "./evaluate.ts";
import type { MetricRecord } from "./metrics.ts";
import { train, type TrainingRun } from "./train.ts";

/** Parameters and moments by name. */
export type Saved = Readonly<Record<string, Float32Array>>;

/** What a run said, in order, and its state after every milestone. */
export interface FollowedRun {
  readonly steps: MetricRecord[];
  readonly evaluations: Evaluation[];
  readonly saved: Map<number, Saved>;
}

/** The knobs of a method at their defaults, but with a gentler β of the reference methods. */
function methodParams(method: keyof typeof objectives): Record<string, number> {
  const objective: Objective = objectives[method];
  const defaults = Object.fromEntries(objective.parameters.map(({ key, default: value }) => [key, value]));
  return method === "dpo" ? { ...defaults, beta: 0.3 } : defaults;
}

/** A short run: 3 steps of 4 pairs of DPO with LoRA of rank 2, without clipping. */
export function tinyRun(
  model: Model,
  changes: Partial<RunConfig> = {},
  parts: Partial<Omit<TrainingRun, "model" | "config">> = {},
): TrainingRun {
  const method = (changes.method ?? "dpo") as keyof typeof objectives;
  const config: RunConfig = {
    ...defaultConfig,
    method,
    params: methodParams(method),
    loraRank: 2,
    loraAlpha: 4,
    learningRate: 0.01,
    schedule: "constant",
    warmupSteps: 0,
    weightDecay: 0,
    maxGradNorm: 0,
    steps: 3,
    batchPairs: 4,
    evalEvery: 0,
    evalPairs: 4,
    ...changes,
  };
  return {
    model,
    config,
    objective: objectives[method],
    trainPairs: tinyPairs(8),
    heldoutPairs: tinyPairs(4, { seed: 2 }),
    reference: createReferenceCache(),
    live: { learningRate: config.learningRate, evalEvery: config.evalEvery },
    ...parts,
  };
}

/** Random values for every parameter of an adapter on all modules, so that B is not zero. */
export function randomAdapter(
  model: Model,
  seed: number,
  { rank = 2, spread = 0.2 }: { rank?: number; spread?: number } = {},
): InitialValues {
  const random = createRandom(seed);
  const names = adaptedModules(model, { targets: loraModules }).flatMap((module) =>
    ["A", "B"].map((factor) => `${module}.lora_${factor}.weight`),
  );
  return new Map(
    names.map((name) => {
      const [rows = 0, columns = 0] = trainableShape(model, name, rank) ?? [];
      const values = Float32Array.from({ length: rows * columns }, () => spread * random.gaussian());
      return [name, { values }];
    }),
  );
}

/** Trains to the end. */
export async function follow(run: TrainingRun): Promise<FollowedRun> {
  const followed: FollowedRun = { steps: [], evaluations: [], saved: new Map() };
  for await (const report of train(run)) {
    if (report.kind === "step") followed.steps.push(report.metrics);
    if (report.kind === "evaluation") followed.evaluations.push(report.evaluation);
    if (report.kind === "milestone") {
      followed.saved.set(report.milestone.step, await report.milestone.save());
    }
  }
  return followed;
}

/** The state after the last step. */
export function lastOf({ saved }: FollowedRun): Saved {
  const last = [...saved.values()].at(-1);
  if (last === undefined) throw new Error("The run had no milestone.");
  return last;
}

/** The trained parameters of a state, without the optimizer's moments. */
export function parametersOf(saved: Saved): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(saved).filter(([name]) => !/\.exp_avg(_sq)?$/.test(name)));
}

/** Random features of a layer's output of the tiny model, its first's as it stands; a threshold of 0 makes them plain ReLUs. */
export function tinySae(threshold = 0.1, { layer = 0, width = 24 } = {}): SparseAutoencoder {
  const random = createRandom(4 + layer);
  const { hiddenSize: inputSize } = tinyConfig;
  const matrix = () => Float32Array.from({ length: width * inputSize }, () => random.gaussian());
  const arrays = {
    inputSize,
    width,
    layer,
    hook: `blocks.${layer}.hook_resid_post`,
    modelName: null,
    encoder: matrix(),
    bias: new Float32Array(width),
    threshold: new Float32Array(width).fill(threshold),
    decoder: matrix(),
    decoderBias: new Float32Array(inputSize),
  };
  return uploadSae(arrays, { needsDecoder: true });
}
