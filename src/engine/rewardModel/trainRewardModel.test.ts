import { beforeEach, describe, expect, it, vi } from "vitest";
import { standOn, sumAdapters } from "../adapters/standing.ts";
import { createRandom } from "../data/random.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Model } from "../models/decoder.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { twoAdapters } from "../training/standing.testing.ts";
import { measureQuality } from "./quality.ts";
import { placeRewardModel, type RewardModel } from "./rewardModel.ts";
import type { RewardModelSettings } from "./settings.ts";
import { trainRewardModel, type RewardModelStep } from "./trainRewardModel.ts";

const settings: RewardModelSettings = {
  label: "tiny",
  steps: 3,
  batchPairs: 4,
  learningRate: 0.02,
  loraRank: 2,
  loraAlpha: 4,
  centering: 0.01,
  seed: 1,
};
/** One epoch, after which what makes an answer good is known. */
const STEPS = 40;
/** What makes an answer good, wherever it is in it. */
const GOOD_TOKEN = 7;

/** Pairs of random answers of 4 tokens, one of which has the good token in one of its first three places. */
function markedPairs(count: number, seed: number): TokenPair[] {
  const random = createRandom(seed);
  const answer = () => Int32Array.from({ length: 4 }, () => 8 + random.integer(30));
  return Array.from({ length: count }, (_, row) => {
    const chosen = answer();
    chosen[random.integer(3)] = GOOD_TOKEN;
    return { prompt: Int32Array.of(1, 3 + random.integer(4)), chosen, rejected: answer(), row };
  });
}

async function trained(
  model: Model,
  changes: Partial<RewardModelSettings> = {},
  trainPairs: readonly TokenPair[] = markedPairs(24, 1),
): Promise<{ steps: RewardModelStep[]; reward: RewardModel }> {
  const steps: RewardModelStep[] = [];
  const work = trainRewardModel(model, { trainPairs, settings: { ...settings, ...changes } });
  for (;;) {
    const { done, value } = await work.next();
    if (done === true) return { steps, reward: value };
    steps.push(value);
  }
}

// Plain loops take seconds where others compute as well.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => openTestDevice("cpu"));

describe("training a reward model", () => {
  it("finds what makes an answer good, in pairs that it has not seen", async () => {
    const { model } = createTinyModel();
    const { steps, reward } = await trained(
      model,
      { steps: STEPS, batchPairs: 8 },
      markedPairs(8 * STEPS, 1),
    );
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    expect(steps[0]!.loss).toBeCloseTo(Math.LN2, 1);
    const placed = placeRewardModel(model, reward);
    const quality = await measureQuality(placed, markedPairs(80, 2), {
      data: "marked",
      trainPairs: 8 * STEPS,
    });
    expect(quality.low).toBeGreaterThan(0.75);
    // Rewards of untrained parameters tell nothing.
    const { reward: fresh } = await trained(model, { steps: 0 });
    const { high } = await measureQuality(placeRewardModel(model, fresh), markedPairs(80, 2), {
      data: "marked",
      trainPairs: 0,
    });
    expect(high).toBeLessThan(0.75);
  });

  it("gives the same model for the same seed, and another for another", async () => {
    const { model } = createTinyModel();
    const [first, again, other] = [
      await trained(model),
      await trained(model),
      await trained(model, { seed: 2 }),
    ];
    expect(again).toEqual(first);
    expect(other.reward.head).not.toEqual(first.reward.head);
    expect(first.reward).toMatchObject({ alpha: 4, rank: 2 });
    expect(first.reward.adapter.size).toBe(14);
    expect(first.reward.adapter.get("model.layers.1.mlp.down_proj")).toMatchObject({
      rank: 2,
      inputs: 24,
      outputs: 16,
    });
  });

  it("is the same on a model that other adapters stand on", async () => {
    const { model } = createTinyModel();
    const stood = standOn(model, sumAdapters(twoAdapters(model)));
    expect(await trained(stood.model)).toEqual(await trained(model));
  });

  it("takes a batch that is too large for one pass in parts, to the same gradients", async () => {
    const { model } = createTinyModel();
    const pairs = markedPairs(103, 3);
    // 206 pairs of 10 rows are more than one pass takes; they are every pair twice, and so the same mean.
    const [whole, twice] = [
      await trained(model, { steps: 1, batchPairs: 103 }, pairs),
      await trained(model, { steps: 1, batchPairs: 206 }, pairs),
    ];
    expect(twice.steps[0]!.loss).toBeCloseTo(whole.steps[0]!.loss, 6);
    expect(twice.steps[0]!.accuracy).toBe(whole.steps[0]!.accuracy);
  });

  it("leaves nothing on the device when it ends, is stopped, or fails", async () => {
    const { model, dispose } = createTinyModel();
    const before = memory().numTensors;
    await trained(model);
    expect(memory().numTensors).toBe(before);
    const work = trainRewardModel(model, { trainPairs: markedPairs(8, 1), settings });
    await work.next();
    expect(memory().numTensors).toBeGreaterThan(before);
    await work.return(undefined as never);
    expect(memory().numTensors).toBe(before);
    await expect(trained(model, { learningRate: 1e30, steps: 9 })).rejects.toThrow("is not a number at step");
    expect(memory().numTensors).toBe(before);
    dispose();
  });

  it("needs pairs of two answers", async () => {
    const { model } = createTinyModel();
    const single = markedPairs(3, 1).map((pair) => ({ ...pair, rejected: new Int32Array() }));
    await expect(trained(model, {}, single)).rejects.toThrow("none of the pairs has two");
    const [both] = markedPairs(1, 1);
    const { steps } = await trained(model, {}, [...single, both!]);
    expect(steps).toHaveLength(3);
  });
});
