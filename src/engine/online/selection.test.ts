import { describe, expect, it } from "vitest";
import { promptKeys, promptsToDraw, rankedPrompts, rankingKeyOf } from "./selection.ts";

const pair = (chosenScore: number, rejectedScore: number) => ({ chosenScore, rejectedScore });

describe("rankingKeyOf", () => {
  it.each([
    ["mean", 0.25],
    ["best", 1],
    ["worst", -0.5],
    ["gap", 1.5],
  ] as const)("%s of 1 and −0.5 is %f", (key, expected) => {
    expect(rankingKeyOf(pair(1, -0.5), key)).toBe(expected);
  });
});

describe("promptKeys", () => {
  const stored = [pair(1, 0), null, pair(0.5, 0.25)];

  it("puts prompts without a pair below all others", () => {
    expect(promptKeys(stored, { rankingKey: "mean", baselines: null })).toEqual([0.5, -Infinity, 0.375]);
  });

  it("takes the baseline of a prompt off its key", () => {
    const baselines = [1, null, 0.25];
    expect(promptKeys(stored, { rankingKey: "mean", baselines })).toEqual([-0.5, -Infinity, 0.125]);
  });
});

describe("promptsToDraw", () => {
  const keys = [0.3, -1, 0.3, 2, -Infinity];
  const draw = (regeneratedShare: number, given = keys) =>
    promptsToDraw(given, { selection: "lowest", regeneratedShare, seed: 1 }, 1);

  it("takes the lowest keys, of equal ones the lower place, rounded up", () => {
    expect(rankedPrompts(keys)).toEqual([4, 1, 0, 2, 3]);
    // ⌈0.5 · 5⌉ = 3 of [4, 1, 0, 2, 3]
    expect(draw(0.5)).toEqual([0, 1, 4]);
    expect(draw(0.2)).toEqual([4]);
    expect(draw(0.21)).toEqual([1, 4]);
  });

  it("takes none for a share of 0 and all for 1", () => {
    expect(draw(0)).toEqual([]);
    expect(draw(1)).toEqual([0, 1, 2, 3, 4]);
  });

  it("is not misled by what a product of floats is too large", () => {
    // 0.07 · 100 is 7.000000000000001.
    const hundred = Array.from({ length: 100 }, (_, place) => place);
    expect(draw(0.07, hundred)).toHaveLength(7);
  });

  it("draws evenly without replacement, by seed and round alone", () => {
    const random = (seed: number, round: number) =>
      promptsToDraw(keys, { selection: "random", regeneratedShare: 0.4, seed }, round);
    expect(random(3, 1)).toEqual(random(3, 1));
    const counts = [0, 0, 0, 0, 0];
    const rounds = 2000;
    for (let round = 0; round < rounds; round++) {
      const drawn = random(3, round);
      expect(new Set(drawn).size).toBe(2);
      for (const prompt of drawn) counts[prompt]! += 1;
    }
    // Each is drawn with probability 2/5: 800 of 2000, standard deviation √(2000 · 0.4 · 0.6) = 22.
    for (const count of counts) expect(Math.abs(count - 800)).toBeLessThan(4.5 * 22);
  });
});
