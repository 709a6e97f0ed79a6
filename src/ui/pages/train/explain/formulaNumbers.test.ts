import { describe, expect, it } from "vitest";
import { formulaOf, knobValues, numbersOf, substituted } from "./formulaNumbers.ts";

const points = {
  pairIndex: Int32Array.of(4, 7),
  chosenDelta: Float32Array.of(1, -2),
  rejectedDelta: Float32Array.of(-1, -3),
};
const scores = {
  chosenTokens: Float32Array.of(10, 20),
  rejectedTokens: Float32Array.of(12, 8),
  chosenLogps: Float32Array.of(-10, -30),
  rejectedLogps: Float32Array.of(-12, -16),
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
    substituted(formula, numbers, knobs)?.text;

  it("has the pair's differences, its lengths, its log-probs and the method's knobs", () => {
    expect(
      put("−log σ( β[Δ(y⁺) − Δ(y⁻)] ), Δ(y) = log π_θ(y|x) − log π_ref(y|x)", [{ label: "β", value: 0.5 }]),
    ).toBe("−log σ( 0.5·[(−2) − (−3)] )");
    expect(
      put("−log σ( β/|y⁺|·log π_θ(y⁺) − γ )", [
        { label: "β", value: 2 },
        { label: "γ", value: 1 },
      ]),
    ).toBe("−log σ( 2/20·(−30) − 1 )");
    expect(put("−log π_θ(y⁺) / n, n = mean |y⁺|")).toBe("−(−30) / n");
    // e^(−16 / 8), the mean probability of a token.
    expect(put("logit P(y⁻), P(y) = π_θ(y)^(1/|y|)")).toBe("logit 0.135");
    expect(put("−log σ(r⁺) − ½ log σ(−r⁺)")).toBe("−log σ(−1) − ½ log σ(−(−1))");
  });

  it("is the definition that has the pair's numbers where the formula itself has none", () => {
    const beta = [{ label: "β", value: 0.5 }];
    const smoothed =
      "−(1−ε)·log σ(u) − ε·log σ(−u), u = β[Δ(y⁺) − Δ(y⁻)], Δ(y) = log π_θ(y|x) − log π_ref(y|x)";
    expect(substituted(smoothed, numbers, beta)).toEqual({ text: "0.5·[(−2) − (−3)]", gives: "u" });
    expect(substituted("−w·log σ( βΔ(y⁺) ), w = 1", numbers, beta)).toEqual({
      text: "−w·log σ( 0.5·(−2) )",
      gives: "loss",
    });
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
    expect(put("−Σₜ log π_θ(yₜ⁺), Δ(y) = log π_θ(y|x) − log π_ref(y|x)")).toBeUndefined();
    expect(put("w·Δ(y⁺)", [{ label: "w", value: 3 }])).toBe("w·(−2)");
  });
});

describe("a method with a knob that makes it another formula", () => {
  const scale = { key: "scale", label: "Scale", help: "", minimum: 0, maximum: 1, scale: "linear" } as const;
  const choice = { ...scale, default: 1, choices: ["per token", "summed"], formulas: ["Δ̄²", "Δ²"] };
  const share = { ...scale, key: "share", label: "ε", default: 0, formulas: ["−log σ(u)", "with ε"] };

  it("has the formula of its value, and of its default where it is not given", () => {
    const ipo = { formula: "Δ²", parameters: [choice] };
    expect(formulaOf(ipo, {})).toBe("Δ²");
    expect(formulaOf(ipo, { scale: 0 })).toBe("Δ̄²");
    expect(formulaOf(ipo, { scale: 1, "second.scale": 0 }, "second.")).toBe("Δ̄²");
    const dpo = { formula: "−log σ(u)", parameters: [share] };
    expect([0, 0.01, 0.4, 1].map((value) => formulaOf(dpo, { share: value }))).toEqual([
      "−log σ(u)",
      "with ε",
      "with ε",
      "with ε",
    ]);
    expect(
      formulaOf({ formula: "plain", parameters: [scale].map((spec) => ({ ...spec, default: 0 })) }, {}),
    ).toBe("plain");
  });

  it("writes choices by their names and numbers as they are typed", () => {
    const parameters = [choice, share];
    expect(knobValues({ parameters }, { scale: 0, share: 0.25 })).toEqual([
      { label: "Scale", value: 0, text: "per token" },
      { label: "ε", value: 0.25, text: "0.25" },
    ]);
    expect(knobValues({ parameters }, { "second.scale": 0 }, "second.").map(({ text }) => text)).toEqual([
      "per token",
      "0",
    ]);
  });
});
