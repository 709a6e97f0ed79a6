/**
 * Training a reward model as an async generator: pause by not asking for the next step, stop with `return()`; what it holds on the
 * device is freed either way. Bradley–Terry on pairs of answers, AdamW without decay, a linear schedule with a short warm-up.
 */
import { createAdapters } from "../adapters/lora.ts";
import type { Trainable } from "../adapters/parameters.ts";
import { withoutStanding } from "../adapters/standing.ts";
import { batchOrder } from "../data/batch.ts";
import { createRandom } from "../data/random.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { adaptersByModule } from "../models/checkpointAdapters.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import { trimMemory } from "../tensor/run.ts";
import { loraModules } from "../training/config.ts";
import { paddedSize, uploadBatch } from "../training/deviceBatch.ts";
import { NonFiniteLossError } from "../training/numericErrors.ts";
import { adamwDefaults, createOptimizer, type Optimizer } from "../training/optimizer.ts";
import { learningRateAt } from "../training/schedule.ts";
import { keepsOf } from "../training/stepMemory.ts";
import { endBatch, inRuns, pairTexts, type AnsweredPrompt } from "./endBatch.ts";
import { addRewardGradients } from "./rewardGradients.ts";
import type { RewardModel } from "./rewardModel.ts";
import type { RewardModelSettings } from "./settings.ts";

/** Everything a training needs. */
export interface RewardModelTraining {
  /** Pairs with one answer alone are left out. */
  readonly trainPairs: readonly TokenPair[];
  readonly settings: RewardModelSettings;
}

/** What a step reports, of its pairs before the update; steps are counted from 1. */
export interface RewardModelStep {
  readonly step: number;
  readonly loss: number;
  /** Share of the pairs whose chosen answer has the higher reward. */
  readonly accuracy: number;
}

/** Name of the head among the flat parameters. */
const HEAD_NAME = "score.weight";
/** Spread of the head's first values (`initializer_range` of transformers). */
const HEAD_SPREAD = 0.02;
/** Random stream of the head, apart from the adapters'. */
const HEAD_STREAM = 0x5c03e;
const WARMUP_SHARE = 0.05;
const adam = { ...adamwDefaults, weightDecay: 0, maxGradNorm: 1 };
/** Rows that go forward and back at once; a step of more is taken in parts. */
const MOST_ROWS = 2048;

/** Trains to the last step and returns the model. Throws `RangeError` where no pair has two answers. */
export async function* trainRewardModel(
  model: Model,
  training: RewardModelTraining,
): AsyncGenerator<RewardModelStep, RewardModel> {
  const { settings } = training;
  const state = open(withoutStanding(model), training);
  try {
    for (let step = 1; step <= settings.steps; step++) yield await takeStep(state, settings, step);
    return await rewardModelOf(state, settings);
  } finally {
    state.dispose();
    trimMemory();
  }
}

/** What a training holds between its steps. */
interface State {
  readonly model: Model;
  readonly weights: Weights;
  readonly trainables: readonly Trainable[];
  readonly head: Trainable;
  readonly optimizer: Optimizer;
  /** Pairs of a step, from 1 on. */
  readonly batchOf: (step: number) => readonly TokenPair[];
  readonly dispose: () => void;
}

function open(model: Model, { trainPairs, settings }: RewardModelTraining): State {
  const { loraRank, loraAlpha, batchPairs, seed } = settings;
  const pairs = trainPairs.filter(({ rejected }) => rejected.length > 0);
  if (pairs.length === 0)
    throw new RangeError("A reward model is trained on pairs of answers, and none of the pairs has two.");
  const random = createRandom(seed, HEAD_STREAM);
  const values = Float32Array.from(
    { length: model.config.hiddenSize },
    () => HEAD_SPREAD * random.gaussian(),
  );
  const { parameters, modules, groups } = createAdapters(
    model,
    { rank: loraRank, alpha: loraAlpha, targets: loraModules },
    { random: createRandom(seed), beside: [{ name: HEAD_NAME, shape: [1, values.length], values }] },
  );
  const optimizer = createOptimizer(parameters, adam);
  const head = parameters.trainables.at(-1);
  if (head === undefined) throw new Error("A reward model has a head.");
  const orderOf = batchOrder({ count: pairs.length, batchPairs, seed, shuffle: true });
  return {
    model,
    weights: { ...referenceWeights(model), adapters: modules, groupAdapters: groups },
    trainables: parameters.trainables,
    head,
    optimizer,
    batchOf: (step) => orderOf(step - 1).flatMap((index) => pairs[index] ?? []),
    dispose: () => {
      optimizer.dispose();
      parameters.dispose();
    },
  };
}

async function takeStep(state: State, settings: RewardModelSettings, step: number): Promise<RewardModelStep> {
  const { optimizer } = state;
  const { learningRate, steps, batchPairs } = settings;
  optimizer.clearGradients();
  let [loss, correct] = [0, 0];
  for (const texts of inRuns(state.batchOf(step).map(pairTexts), MOST_ROWS)) {
    const found = await runTexts(state, texts, settings);
    loss += found.loss;
    correct += found.correct;
  }
  if (!Number.isFinite(loss)) throw new NonFiniteLossError("The loss", step);
  const warmupSteps = Math.round(WARMUP_SHARE * steps);
  const rate = learningRateAt(step + 1, { learningRate, steps: steps + 1, warmupSteps, schedule: "linear" });
  const gradientNorm = await optimizer.step(rate);
  if (!Number.isFinite(gradientNorm)) throw new NonFiniteLossError("The gradient norm", step);
  return { step, loss, accuracy: correct / batchPairs };
}

async function runTexts(
  { model, weights, trainables, head, optimizer }: State,
  texts: readonly AnsweredPrompt[],
  { loraRank, centering, batchPairs }: RewardModelSettings,
): Promise<{ loss: number; correct: number }> {
  const flat = endBatch(texts);
  const stepSettings = {
    tuning: "lora",
    loraRank,
    loraDropout: 0,
    topLayers: 0,
    checkpointing: "auto",
  } as const;
  const keeps = keepsOf(model.config, stepSettings, flat.tokenIds.length);
  const batch = uploadBatch(flat, distinctWindows(model.config), paddedSize(flat));
  try {
    const pass = { model, weights, keeps, sink: { flat: optimizer.gradients, trainables }, head };
    return await addRewardGradients(pass, batch, { centering, pairs: batchPairs });
  } finally {
    batch.dispose();
  }
}

async function rewardModelOf(
  { optimizer, trainables }: State,
  { loraAlpha, loraRank }: RewardModelSettings,
): Promise<RewardModel> {
  const saved = await optimizer.save();
  const arrays = new Map(
    trainables.map(({ name, tensor: { shape } }) => [
      name,
      { shape, values: saved[name] ?? new Float32Array() },
    ]),
  );
  const head = arrays.get(HEAD_NAME)?.values ?? new Float32Array();
  return { adapter: adaptersByModule(arrays), alpha: loraAlpha, rank: loraRank, head };
}
