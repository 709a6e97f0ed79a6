import { describe, expect, it } from "vitest";
import { meanScoreOf, studentT, winRateOf } from "./intervals.ts";

describe("studentT", () => {
  // Any table of Student's distribution, column 0.975.
  it.each([
    [1, 12.7062],
    [2, 4.30265],
    [3, 3.18245],
    [4, 2.77645],
    [9, 2.26216],
    [10, 2.22814],
    [30, 2.04227],
    [63, 1.99834],
    [120, 1.97993],
    [1000, 1.96234],
  ])("with %i degrees of freedom is %f", (degrees, expected) => {
    expect(Math.abs(studentT(degrees) / expected - 1)).toBeLessThan(3e-6);
  });
});

describe("meanScoreOf", () => {
  it("has Student's interval over the scores that there are", () => {
    // Mean 2, variance 1, standard error 1/√3, t(2) = 4.30265: ± 2.484138.
    const found = meanScoreOf([1, null, 2, 3]);
    expect(found?.mean).toBe(2);
    expect(found?.low ?? NaN).toBeCloseTo(2 - 2.484138, 5);
    expect(found?.high ?? NaN).toBeCloseTo(2 + 2.484138, 5);
  });

  it("has no interval of one score, and says nothing of none", () => {
    expect(meanScoreOf([null, 1])).toEqual({ mean: 1, low: null, high: null });
    expect(meanScoreOf([])).toBeNull();
  });
});

describe("winRateOf", () => {
  it("counts ties half and leaves out what was not scored on either side", () => {
    // Wins, tie, loss, win of 4 that are known: (2 + ½) / 4.
    const found = winRateOf([1, 0, 0, 2, null, 1], [0, 0, 1, 1, 0, null]);
    expect(found).toMatchObject({ share: 0.625, prompts: 4, ties: 1 });
    // Wilson's bounds solve (share − p)² = z² p (1 − p) / n.
    for (const bound of [found?.low ?? NaN, found?.high ?? NaN]) {
      expect((0.625 - bound) ** 2).toBeCloseTo((1.959963984540054 ** 2 * bound * (1 - bound)) / 4, 10);
    }
  });

  it("is nothing where no prompt was scored on both sides", () => {
    expect(winRateOf([null], [1])).toBeNull();
  });
});
