/** Gradients of a whole reward model, against central differences of its loss and against other ways to compute them. */
import { beforeEach, describe, expect, it } from "vitest";
import type { TokenPair } from "../data/tokenPair.ts";
import { uploadModel } from "../models/loadModel.ts";
import { memory } from "../tensor/run.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyArrays, tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import { checkSlopes } from "../training/slopes.testing.ts";
import { openRewardCase } from "./rewardGradients.testing.ts";

/** Of two ways to compute the same sums. */
const SAME = 1e-5;
/** Two states carry less noise than thirty log-probs, and their products bend more: at 0.007 that is an error of 0.15 %. */
const LOSS_CHANGE = 0.002;

const ids = (...tokens: number[]) => Int32Array.from(tokens);

/** Answers of one token, an answer of none, and one with a prompt of its own. */
const oddPairs: readonly TokenPair[] = [
  { prompt: ids(1, 4, 9), chosen: ids(7), rejected: ids(8, 12, 2), row: 0 },
  { prompt: ids(1, 5), chosen: ids(20, 21, 2), rejected: ids(), row: 1 },
  { prompt: ids(1, 6, 6, 6), rejectedPrompt: ids(3), chosen: ids(30, 2), rejected: ids(31, 32), row: 2 },
];

beforeEach(() => openTestDevice("cpu"));

describe("the gradients of a reward model", () => {
  it.each([
    ["fused layers", tinyPairs(3), {}, false],
    ["layers on the tape", tinyPairs(2), {}, true],
    ["answers that are short, empty, or to prompts of their own", oddPairs, {}, false],
    [
      "a window in every other layer",
      tinyPairs(2),
      {
        layerPattern: [
          { window: 3, rope: "main" },
          { window: null, rope: "main" },
        ],
      } as const,
      false,
    ],
  ])("are those of its loss with %s", async (_, pairs, shape, isTaped) => {
    const { model, dispose } = createTinyModel(shape);
    const testCase = openRewardCase(model, pairs, { isTaped });
    const { byName, loss } = await testCase.gradients();
    expect(loss).toBeCloseTo(await testCase.loss(), 12);
    await checkSlopes({ ...testCase, gradients: byName, lossChange: LOSS_CHANGE });
    testCase.dispose();
    dispose();
  });

  it.each(["f32", "f16", "q8", "q4s"] as const)(
    "are the same fused and on the tape, whatever is kept, with weights in %s",
    async (layout) => {
      const shape = { ...tinyConfig, hiddenSize: 32, intermediateSize: 64, headDim: 8 };
      const { model, dispose } = uploadModel(shape, tinyArrays(shape), layout);
      const before = memory().numTensors;
      const fused = openRewardCase(model, tinyPairs(3));
      const taped = openRewardCase(model, tinyPairs(3), { isTaped: true });
      const { byName: expected } = await taped.gradients();
      const { byName: whole } = await fused.gradients("everything");
      const { byName: found } = await fused.gradients();
      for (const [name, values] of expected) {
        expect(
          values.some((value) => value !== 0),
          name,
        ).toBe(true);
        compare(found.get(name)!, values, { label: name, tolerance: SAME });
        expect(whole.get(name), name).toEqual(found.get(name));
      }
      fused.dispose();
      taped.dispose();
      expect(memory().numTensors).toBe(before);
      dispose();
    },
  );
});
