import { beforeEach, expect, it } from "vitest";
import { memory, zeros } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { uncachedLogits } from "../testing/uncachedDecoding.ts";
import { referenceWeights } from "../models/weights.ts";
import { perplexityOf } from "./perplexity.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

it("is e to the mean surprise of the answers' tokens, each after all that comes before it", async () => {
  const { model, dispose } = createTinyModel();
  const pairs = tinyPairs(10);
  const before = memory().numTensors;
  const found = await perplexityOf(model, pairs);
  expect(memory().numTensors).toBe(before);
  let [surprise, count] = [0, 0];
  for (const { prompt, chosen } of pairs) {
    for (let at = 0; at < chosen.length; at++) {
      const text = [...prompt, ...chosen.subarray(0, at)];
      const logits = Float64Array.from(await uncachedLogits(model, referenceWeights(model), text));
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      surprise += Math.log(total) - logits[chosen[at]!]!;
      count += 1;
    }
  }
  expect(Math.log(found)).toBeCloseTo(surprise / count, 6);
  dispose();
});

it("of a model that knows nothing is the size of its vocabulary", async () => {
  const { model, dispose } = createTinyModel();
  const blind = { ...model, base: new Map(model.base) };
  const head = zeros([model.config.vocabularySize, model.config.hiddenSize]);
  blind.base.set("lm_head.weight", head);
  expect(await perplexityOf(blind, tinyPairs(3))).toBeCloseTo(model.config.vocabularySize, 3);
  head.dispose();
  dispose();
});
