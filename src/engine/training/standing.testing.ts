/** What must hold of adapters that stand on a model, on every backend. */
import { expect } from "vitest";
import { standOn, sumAdapters, type ScaledAdapter } from "../adapters/standing.ts";
import { adaptedModules } from "../adapters/lora.ts";
import { createRandom } from "../data/random.ts";
import { flatBatch, pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { distinctWindows } from "../models/config.ts";
import { headName, type Model } from "../models/decoder.ts";
import type { AdapterSum, HostAdapter } from "../models/hostAdapter.ts";
import { uploadModel, type LoadedModel } from "../models/loadModel.ts";
import { parameterShape, referenceWeights, wholeMatrix } from "../models/weights.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { dispose, read } from "../tensor/run.ts";
import { createTinyModel, tinyArrays, type TinyModelOptions } from "../testing/tinyModel.ts";
import type { RunConfig } from "./config.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { atOnce } from "./parts.ts";
import { scoreBatch, scoredStates } from "./scoring.ts";
import { follow, tinyRun } from "./tinyRun.testing.ts";

const TOKENS = Int32Array.from([1, 5, 9, 30, 12, 7, 40]);

/** A random adapter on some modules of every layer. */
export function randomHostAdapter(
  model: Model,
  { seed, rank, targets }: { readonly seed: number; readonly rank: number; readonly targets: string[] },
): Map<string, HostAdapter> {
  const random = createRandom(seed);
  const drawn = (count: number) => Float32Array.from({ length: count }, () => 0.3 * random.gaussian());
  return new Map(
    adaptedModules(model, { targets }).map((module) => {
      const [outputs = 0, inputs = 0] = parameterShape(model, `${module}.weight`) ?? [];
      return [module, { a: drawn(rank * inputs), b: drawn(outputs * rank), rank, inputs, outputs }];
    }),
  );
}

/** Two adapters of different ranks and modules, one of them turned round. */
export function twoAdapters(model: Model): ScaledAdapter[] {
  const first = randomHostAdapter(model, { seed: 3, rank: 2, targets: ["q_proj", "v_proj", "down_proj"] });
  const second = randomHostAdapter(model, { seed: 4, rank: 3, targets: ["q_proj", "up_proj", "o_proj"] });
  return [
    { modules: first, scaleOf: () => 1.5 },
    { modules: second, scaleOf: () => -0.7 },
  ];
}

/** Logits of every row under the model's reference policy. [rows, vocabulary] */
export async function referenceLogits(model: Model): Promise<Float32Array> {
  const weights = referenceWeights(model);
  const batch = uploadBatch(flatBatch([{ tokens: TOKENS, scoredFrom: 1 }]), distinctWindows(model.config));
  const hidden = atOnce(scoredStates(model, weights, batch));
  const logits = matmul(hidden, wholeMatrix(weights, headName(model.config)), { form: "abt" });
  const values = Float32Array.from(await read(logits));
  batch.dispose();
  dispose([hidden, logits]);
  return values;
}

function addProduct(values: Float32Array, { a, b, rank, inputs, outputs }: HostAdapter, scale: number): void {
  for (let row = 0; row < outputs; row++) {
    for (let column = 0; column < inputs; column++) {
      let sum = 0;
      for (let each = 0; each < rank; each++) sum += b[row * rank + each]! * a[each * inputs + column]!;
      values[row * inputs + column]! += scale * sum;
    }
  }
}

/** The model with Σ s·B·A added to its matrices by plain loops in float64. */
function mergedByHand(
  options: TinyModelOptions,
  adapters: readonly ScaledAdapter[],
): Pick<LoadedModel, "model" | "dispose"> {
  const arrays = tinyArrays(options);
  const { model, dispose } = createTinyModel(options);
  for (const { modules, scaleOf } of adapters) {
    for (const [module, adapter] of modules) {
      addProduct(arrays.get(`${module}.weight`)!.values, adapter, scaleOf(module));
    }
  }
  dispose();
  return uploadModel(model.config, arrays);
}

/** The largest difference between two lists of one length. */
export function worstOf(first: ArrayLike<number>, second: ArrayLike<number>): number {
  expect(first.length).toBe(second.length);
  let worst = 0;
  for (let at = 0; at < first.length; at++) worst = Math.max(worst, Math.abs(first[at]! - second[at]!));
  return worst;
}

/** Two adapters that stand on a model are their products added to its matrices; taken off, they leave nothing. */
export async function checkSumOfTwo(options: TinyModelOptions = {}): Promise<void> {
  const { model, dispose: close } = createTinyModel(options);
  const bare = await referenceLogits(model);
  const adapters = twoAdapters(model).map((each) => ({
    ...each,
    modules: new Map([...each.modules].filter(([module]) => model.base.has(`${module}.weight`))),
  }));
  const stood = standOn(model, sumAdapters(adapters));
  const together = await referenceLogits(stood.model);
  const merged = mergedByHand(options, adapters);
  expect(worstOf(together, await referenceLogits(merged.model))).toBeLessThanOrEqual(1e-4);
  const alone = standOn(model, sumAdapters(adapters.slice(0, 1)));
  expect(worstOf(together, await referenceLogits(alone.model))).toBeGreaterThan(0.05);
  alone.dispose();
  expect(await referenceLogits(standOn(stood.model, new Map()).model)).toEqual(bare);
  stood.dispose();
  merged.dispose();
  expect(await referenceLogits(model)).toEqual(bare);
  close();
}

/** The sum of the two adapters on the tiny model. */
export function sumOfTwo(model: Model): AdapterSum {
  return sumAdapters(twoAdapters(model));
}

/** Log-prob of a pair's chosen answer under the model's reference policy. */
async function chosenLogp(model: Model, pair: TokenPair): Promise<number> {
  const batch = uploadBatch(pairBatch([pair]), distinctWindows(model.config));
  const { logps } = await scoreBatch(model, referenceWeights(model), batch);
  batch.dispose();
  return logps.slice(0, pair.chosen.length).reduce((sum, logp) => sum + logp, 0);
}

/** A run that goes on with adapters starts where they are: no margin at all, and a loss of ln 2. */
export async function checkContinued(
  options: TinyModelOptions = {},
  changes: Partial<RunConfig> = {},
): Promise<void> {
  const { model, dispose: close } = createTinyModel(options);
  const stood = standOn(model, sumOfTwo(model));
  // The scale 7 / 6 is no power of two, and one rank is more than the sum of both adapters has.
  const run = tinyRun(stood.model, { loraRank: 6, loraAlpha: 7, steps: 2, ...changes });
  const { steps, evaluations } = await follow(run);
  expect(steps[0]).toMatchObject({ "rewards/margins": 0, "rewards/chosen": 0, "rewards/rejected": 0 });
  expect(steps[0]?.["loss"]).toBeCloseTo(Math.LN2, 12);
  expect(evaluations[0]?.metrics).toMatchObject({ "eval_rewards/margins": 0, "eval_kl/chosen": 0 });
  expect(steps[1]?.["rewards/margins"]).not.toBe(0);
  // It is the adapters' model that it starts from, not the bare one.
  const [pair] = run.trainPairs;
  const known = run.reference.get(pair!)?.chosen.sumLogps;
  expect(known === undefined).toBe(run.config.referenceMode === "live");
  if (known !== undefined) expect(Math.abs(known - (await chosenLogp(model, pair!)))).toBeGreaterThan(0.1);
  stood.dispose();
  close();
}
