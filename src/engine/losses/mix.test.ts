import { describe, expect, it } from "vitest";
import { dpo } from "./dpo.ts";
import { fpo } from "./fpo.ts";
import { kto } from "./kto.ts";
import { mixObjectives, secondPrefix, type Mixture } from "./mix.ts";
import type { Objective, ObjectiveResult } from "./objective.ts";
import { eightPairs, totalsOf } from "./pairStatistics.testing.ts";
import { sft } from "./sft.ts";
import { simpo } from "./simpo.ts";
import { tdpo1 } from "./tdpo1.ts";
import { tdpo2 } from "./tdpo2.ts";

const alone = { firstWeight: 1, second: null, secondWeight: 1, sftWeight: 0 } as const;
const totals = totalsOf(eightPairs);

function mixed(mixture: Partial<Mixture> & { first: Objective }, parameters: Record<string, number>) {
  return mixObjectives({ ...alone, ...mixture }).compute(eightPairs, parameters, totals);
}

/** `a` times the first array and `b` times the second. */
function combined(a: number, first: Float64Array | undefined, b: number, second?: Float64Array) {
  return Array.from({ length: 8 }, (_, pair) => a * (first?.[pair] ?? 0) + b * (second?.[pair] ?? 0));
}

function expectArray(actual: Float64Array | undefined, expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, pair) => expect(actual![pair]).toBeCloseTo(value, 13));
}

const gradients = [
  "losses",
  "chosenGradient",
  "rejectedGradient",
  "chosenDivergenceGradient",
  "rejectedDivergenceGradient",
  "chosenFeatureGradient",
  "rejectedFeatureGradient",
] as const satisfies readonly (keyof ObjectiveResult)[];

describe("mixObjectives", () => {
  it("is the first objective itself when nothing is mixed", () => {
    expect(mixObjectives({ ...alone, first: dpo })).toBe(dpo);
    expect(mixObjectives({ ...alone, first: dpo, secondWeight: 3 })).toBe(dpo);
  });

  it("adds an SFT term with its likelihood, and leaves rewards and argument to the first", () => {
    const result = mixed({ first: dpo, sftWeight: 0.3 }, { beta: 0.2 });
    const plain = dpo.compute(eightPairs, { beta: 0.2 }, totals);
    const copied = sft.compute(eightPairs, {}, totals);
    for (const name of ["losses", "chosenGradient", "rejectedGradient"] as const) {
      expectArray(result[name], combined(1, plain[name], 0.3, copied[name]));
    }
    expect(result.chosenRewards).toEqual(plain.chosenRewards);
    expect(result.arguments).toEqual(plain.arguments);
    // The token mean over the step: 168.25 nats over 101 tokens.
    const { sum, weight } = result.metrics!["nll_loss"]!;
    expect(sum / weight).toBeCloseTo(168.25 / 101, 14);
  });

  it("weighs every gradient of two objectives, also those that only one has", () => {
    const knobs = { beta: 0.2, "second.beta": 2, "second.alpha": 0.5, "second.topK": 4, "second.layer": 0 };
    const result = mixed({ first: tdpo1, second: fpo, firstWeight: 0.8, secondWeight: 0.2 }, knobs);
    const first = tdpo1.compute(eightPairs, { beta: 0.2 }, totals);
    const second = fpo.compute(eightPairs, { beta: 2, alpha: 0.5, topK: 4, layer: 0 }, totals);
    for (const name of gradients) {
      const isAbsent = first[name] === undefined && second[name] === undefined;
      const expected = isAbsent ? [] : combined(0.8, first[name], 0.2, second[name]);
      expectArray(result[name] ?? new Float64Array(0), expected);
    }
    // FPO holds the chosen side's features.
    expect(result.chosenFeatureGradient).toBeUndefined();
  });

  it("adds where both have a gradient of the KL", () => {
    const knobs = { beta: 0.2, "second.beta": 0.3, "second.alpha": 0.5 };
    const result = mixed({ first: tdpo1, second: tdpo2 }, knobs);
    const first = tdpo1.compute(eightPairs, { beta: 0.2 }, totals);
    const second = tdpo2.compute(eightPairs, { beta: 0.3, alpha: 0.5 }, totals);
    expectArray(
      result.rejectedDivergenceGradient,
      combined(1, first.rejectedDivergenceGradient, 1, second.rejectedDivergenceGradient),
    );
    expectArray(result.chosenDivergenceGradient, Array.from(first.chosenDivergenceGradient!));
  });

  it("keeps the knobs of the two apart, and asks for what either needs", () => {
    const mixture = mixObjectives({ ...alone, first: dpo, second: kto, sftWeight: 1 });
    expect(mixture.parameters.map(({ key }) => key)).toEqual([
      "beta",
      "labelSmoothing",
      `${secondPrefix}beta`,
      `${secondPrefix}desirableWeight`,
      `${secondPrefix}undesirableWeight`,
    ]);
    expect(mixture.needs).toEqual(["referenceLogps", "mismatchedAnswers"]);
    expect(mixture.id).toBe("dpo");
    const weights = { "second.desirableWeight": 1, "second.undesirableWeight": 1 };
    const at = (first: number, second: number) =>
      mixture.compute(eightPairs, { beta: first, "second.beta": second, ...weights }, totals);
    expect(at(0.1, 0.4).losses).not.toEqual(at(0.4, 0.1).losses);
    expect(at(0.1, 0.4).chosenRewards[0]).toBeCloseTo(0.1, 14);
    expect(at(0.1, 0.4).metrics!["kl"]!.sum).toBeCloseTo(0.4375, 14);
    expect(() => mixture.compute(eightPairs, { beta: 0.1, ...weights }, totals)).toThrow("beta");
  });

  it("scales a single objective", () => {
    const result = mixed({ first: simpo, firstWeight: 2 }, { beta: 2, gamma: 0.5 });
    const plain = simpo.compute(eightPairs, { beta: 2, gamma: 0.5 }, totals);
    expectArray(result.losses, combined(2, plain.losses, 0));
    expectArray(result.chosenGradient, combined(2, plain.chosenGradient, 0));
    expect(result.chosenRewards).toEqual(plain.chosenRewards);
  });

  it("has the gradients of central differences as a sum", () => {
    const mixture = mixObjectives({
      ...alone,
      first: dpo,
      second: simpo,
      firstWeight: 0.7,
      secondWeight: 0.4,
      sftWeight: 0.2,
    });
    const parameters = { beta: 0.3, "second.beta": 2, "second.gamma": 0.5 };
    const lossAt = (pair: number, by: number) => {
      const { chosen } = eightPairs;
      const logps = chosen.logps.with(pair, chosen.logps[pair]! + by);
      const { losses } = mixture.compute({ ...eightPairs, chosen: { ...chosen, logps } }, parameters, totals);
      return losses.reduce((sum, loss) => sum + loss, 0) / 8;
    };
    mixture.compute(eightPairs, parameters, totals).chosenGradient.forEach((gradient, pair) => {
      expect(gradient).toBeCloseTo((lossAt(pair, 1e-5) - lossAt(pair, -1e-5)) / 2e-5, 8);
    });
  });
});
