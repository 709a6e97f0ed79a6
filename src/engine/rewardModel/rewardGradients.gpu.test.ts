/** One batch of a reward model on WebGPU against the cpu backend, at widths where a wrong product shows. */
import { describe, expect, it } from "vitest";
import { promptOf } from "../data/tokenPair.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { randomHostAdapter } from "../training/standing.testing.ts";
import { openRewardCase } from "./rewardGradients.testing.ts";
import { placeRewardModel } from "./rewardModel.ts";

const shape = {
  hiddenSize: 64,
  intermediateSize: 2048,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  vocabularySize: 2003,
} as const;
const TOLERANCE = 1e-4;

async function resultsOn(backend: "webgpu" | "cpu") {
  const device = await openTestDevice(backend);
  const { model, dispose } = createTinyModel(shape);
  const pairs = tinyPairs(3, shape);
  const testCase = openRewardCase(model, pairs, { rank: 8, spread: 0.05 });
  const gradients = await testCase.gradients("everything");
  testCase.dispose();
  const adapter = randomHostAdapter(model, { seed: 3, rank: 2, targets: ["q_proj", "down_proj"] });
  const head = Float32Array.from({ length: shape.hiddenSize }, (_, i) => Math.sin(i));
  const placed = placeRewardModel(model, { adapter, alpha: 1, rank: 2, head });
  const texts = pairs.map((pair) => ({ prompt: promptOf(pair, "chosen"), answer: pair.chosen }));
  const rewards = await placed.score(texts);
  const one = await placed.score(texts.slice(1, 2));
  placed.dispose();
  const { dispatches } = device.counters();
  dispose();
  return { ...gradients, rewards, one, dispatches };
}

describe("a reward model on WebGPU", () => {
  it("has the gradients and rewards of the cpu", { timeout: 120_000 }, async () => {
    const expected = await resultsOn("cpu");
    const actual = await resultsOn("webgpu");
    expect(actual.dispatches).toBeGreaterThan(0);
    expect([...actual.byName.keys()]).toEqual([...expected.byName.keys()]);
    for (const [name, values] of expected.byName) {
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true);
      compare(actual.byName.get(name)!, values, { label: name, tolerance: TOLERANCE });
    }
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(TOLERANCE);
    compare(Float32Array.from(actual.rewards), Float32Array.from(expected.rewards), {
      label: "rewards",
      tolerance: TOLERANCE,
    });
    expect(actual.one[0]).toBe(actual.rewards[1]);
  });
});
