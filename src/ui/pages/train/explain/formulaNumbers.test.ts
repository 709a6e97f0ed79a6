import { describe, expect, it } from "vitest";
import { numbersOf, substituted } from "./formulaNumbers.ts";

const points = {
  pairIndex: Int32Array.of(4, 7),
  chosenDelta: Float32Array.of(1, -2),
  rejectedDelta: Float32Array.of(-1, -3),
};
const scores = {
  chosenTokens: Float32Array.of(10, 20),
  rejectedTokens: Float32Array.of(12, 8),
  losses: Float32Array.of(0.25, 0.5),
  arguments: Float32Array.of(0, Math.log(3)),
  chosenRewards: Float32Array.of(0.5, -1),
  rejectedRewards: Float32Array.of(-0.5, Number.NaN),
};

describe("the numbers of a formula", () => {
  it("are those of the pair, found by its index", () => {
    const numbers = numbersOf(points, scores, 7);
    expect(numbers).toMatchObject({ pairIndex: 7, chosenDelta: -2, rejectedDelta: -3, loss: 0.5 });
    expect(numbers).toMatchObject({ chosenTokens: 20, rejectedTokens: 8, rejectedReward: null });
    // σ(−ln 3) = 1 / 4.
    expect(numbers.weight).toBeCloseTo(0.25, 6);
  });

  it("are means without a pair, each over the pairs that have it", () => {
    for (const index of [null, 99]) {
      const numbers = numbersOf(points, scores, index);
      expect(numbers).toMatchObject({ pairIndex: null, pairs: 2, chosenDelta: -0.5, chosenTokens: 15 });
      expect(numbers).toMatchObject({ loss: 0.375, rejectedReward: -0.5 });
      expect(numbers.weight).toBeCloseTo(0.375, 6);
    }
    const none = numbersOf(points, { ...scores, arguments: new Float32Array() }, null);
    expect(none).toMatchObject({ argument: null, weight: null });
  });
});

describe("a formula with numbers", () => {
  const numbers = numbersOf(points, scores, 7);
  const put = (formula: string, knobs: { label: string; value: number }[] = []) =>
    substituted(formula, numbers, knobs);

  it("has the pair's differences, its lengths and the method's knobs", () => {
    expect(
      put("−log σ( β[Δ(y⁺) − Δ(y⁻)] ), Δ(y) = log π_θ(y|x) − log π_ref(y|x)", [{ label: "β", value: 0.5 }]),
    ).toBe("−log σ( 0.5·[(−2) − (−3)] )");
    expect(
      put("−log σ( β/|y⁺| log π_θ(y⁺) − γ )", [
        { label: "β", value: 2 },
        { label: "γ", value: 1 },
      ]),
    ).toBe("−log σ( 2/20 log π_θ(y⁺) − 1 )");
  });

  it("writes products as products", () => {
    const knobs = [
      { label: "α", value: 0.5 },
      { label: "β", value: 0.1 },
    ];
    expect(put("αβΔ(y⁺)", knobs)).toBe("0.5·0.1·(−2)");
    expect(put("(Δ(y⁺) − 1/(2β))²", knobs)).toBe("((−2) − 1/(2·0.1))²");
    expect(put("β₂Δ(y⁺) + β_D", knobs)).toBe("β₂·(−2) + β_D");
  });

  it("is nothing where the pair's numbers do not occur, and leaves words alone", () => {
    expect(put("−Σₜ log π_θ(yₜ⁺)")).toBeNull();
    expect(put("w·Δ(y⁺)", [{ label: "w", value: 3 }])).toBe("w·(−2)");
  });
});
