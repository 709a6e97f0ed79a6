import { beforeEach, describe, expect, it } from "vitest";
import { standOn, sumAdapters } from "../adapters/standing.ts";
import { flatBatch } from "../data/batch.ts";
import { createRandom } from "../data/random.ts";
import { decoderLayer, embedTokens, scoredHidden, type Model } from "../models/decoder.ts";
import { referenceWeights } from "../models/weights.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { randomHostAdapter, twoAdapters } from "../training/standing.testing.ts";
import { placeRewardModel, type RewardModel, type RewardText } from "./rewardModel.ts";

const ids = (...tokens: number[]) => Int32Array.from(tokens);

function randomReward(model: Model): RewardModel {
  const random = createRandom(5);
  const head = Float32Array.from({ length: model.config.hiddenSize }, () => random.gaussian());
  const adapter = randomHostAdapter(model, { seed: 3, rank: 2, targets: ["q_proj", "v_proj", "up_proj"] });
  return { adapter, alpha: 3, rank: 2, head };
}

/** The reward by the decoder's own layers, one text at a time: w · h after the last norm, at the last token. */
async function plainReward(
  model: Model,
  reward: RewardModel,
  { prompt, answer }: RewardText,
): Promise<number> {
  const stood = standOn(
    model,
    sumAdapters([{ modules: reward.adapter, scaleOf: () => reward.alpha / reward.rank }]),
  );
  const weights = referenceWeights(stood.model);
  // A token behind the last one makes the last row one that is scored.
  const tokens = ids(...prompt, ...answer, 0);
  const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: tokens.length - 1 }]));
  let x = embedTokens(model, weights, batch.rows);
  for (let layer = 0; layer < model.config.layers; layer++) {
    x = decoderLayer(model, weights, layer, { x, rows: batch.rows });
  }
  const h = await read(scoredHidden(model, weights, x, batch.scored));
  batch.dispose();
  stood.dispose();
  return reward.head.reduce((sum, w, i) => sum + w * h[i]!, 0);
}

beforeEach(() => openTestDevice("cpu"));

describe("a reward model on the device", () => {
  const texts: RewardText[] = [
    ...tinyPairs(4).map(({ prompt, chosen }) => ({ prompt, answer: chosen })),
    { prompt: ids(1, 4, 9), answer: ids() },
    { prompt: ids(1), answer: ids(2) },
  ];

  it("gives a text the product of its last state and the head", async () => {
    const { model } = createTinyModel();
    const reward = randomReward(model);
    const placed = placeRewardModel(model, reward);
    const scores = await placed.score(texts);
    for (const [index, text] of texts.entries()) {
      expect(Math.abs(scores[index]! - (await plainReward(model, reward, text)))).toBeLessThan(1e-5);
    }
    const bare = placeRewardModel(model, { ...reward, adapter: new Map() });
    expect((await bare.score(texts))[0]).not.toBeCloseTo(scores[0]!, 2);
    placed.dispose();
  });

  it("gives a text the same reward alone, in any company, and in any order", async () => {
    const { model, dispose: close } = createTinyModel();
    const before = memory().numTensors;
    const placed = placeRewardModel(model, randomReward(model));
    const scores = await placed.score(texts);
    const turned = await placed.score(texts.toReversed());
    expect([...turned.toReversed()]).toEqual([...scores]);
    for (const [index, text] of texts.entries())
      expect(await placed.score([text])).toEqual(scores.slice(index, index + 1));
    // More than one run of rows.
    const many = await placed.score(Array.from({ length: 400 }, (_, i) => texts[i % texts.length]!));
    expect(many.every((score, i) => score === scores[i % texts.length])).toBe(true);
    expect(await placed.score([])).toEqual(new Float64Array());
    placed.dispose();
    expect(memory().numTensors).toBe(before);
    close();
  });

  it("does not see what stands on the model", async () => {
    const { model } = createTinyModel();
    const reward = randomReward(model);
    const [placed, stood] = [
      placeRewardModel(model, reward),
      standOn(model, sumAdapters(twoAdapters(model))),
    ];
    const onTop = placeRewardModel(stood.model, reward);
    expect(await onTop.score(texts)).toEqual(await placed.score(texts));
  });

  it("refuses what it cannot read", async () => {
    const { model, dispose: close } = createTinyModel();
    const reward = randomReward(model);
    const placed = placeRewardModel(model, reward);
    const before = memory().numTensors;
    const long = { prompt: new Int32Array(60), answer: new Int32Array(tinyConfig.maxPositions - 59) };
    await expect(placed.score([texts[0]!, long])).rejects.toThrow(
      "Text 2 has 65 tokens with its answer, and the model reads 64: shorten it.",
    );
    await expect(placed.score([{ prompt: ids(), answer: ids() }])).rejects.toThrow("has no tokens");
    expect(memory().numTensors).toBe(before);
    expect(() => placeRewardModel(model, { ...reward, head: new Float32Array(15) })).toThrow(
      "head has 15 numbers, the model's states have 16",
    );
    placed.dispose();
    close();
  });
});
