/** What objectives must have in common, and worked examples of what is special about one. */
import { describe, expect, it } from "vitest";
import { objectives } from "./index.ts";
import type { Objective, ObjectiveResult, PairStatistics } from "./objective.ts";
import { eightPairs, pick, totalsOf, withSide } from "./pairStatistics.testing.ts";

type Id = keyof typeof objectives;

function compute(id: Id, changes: Record<string, number> = {}, statistics = eightPairs): ObjectiveResult {
  const objective: Objective = objectives[id];
  const defaults = Object.fromEntries(objective.parameters.map((spec) => [spec.key, spec.default]));
  return objective.compute(statistics, { ...defaults, ...changes }, totalsOf(statistics));
}

/** Pairs on which policy and reference agree. */
const untouched: PairStatistics = (["chosen", "rejected"] as const).reduce<PairStatistics>(
  (statistics, name) =>
    withSide(statistics, name, {
      referenceLogps: statistics[name].logps,
      divergences: new Float64Array(8),
      featureErrors: new Float64Array(8),
    }),
  { ...eightPairs, mismatchedRatios: new Float64Array(8) },
);

const compared = ["losses", "chosenGradient", "rejectedGradient", "arguments"] as const;

function expectClose(actual: ObjectiveResult, expected: ObjectiveResult, digits = 14) {
  for (const name of compared) {
    const values = Array.from(actual[name] ?? []);
    expect(values).toHaveLength(expected[name]?.length ?? 0);
    values.forEach((value, pair) => expect(value, name).toBeCloseTo(expected[name]![pair]!, digits));
  }
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("identities", () => {
  it("tdpo2 without α, and wdpo with all weights 1, are dpo", () => {
    const dpo = compute("dpo", { beta: 0.3 });
    expectClose(compute("tdpo2", { beta: 0.3, alpha: 0 }), dpo);
    expectClose(compute("wdpo", { beta: 0.3, weighting: 2 }), dpo);
    expectClose(
      compute("wdpo_column", { beta: 0.3 }, { ...eightPairs, pairWeights: new Float64Array(8).fill(1) }),
      dpo,
    );
  });

  it("wdpo with positive gaps goes to dpo as β₂ grows", () => {
    const positive = { ...eightPairs, rewardGaps: eightPairs.rewardGaps!.map(Math.abs) };
    expectClose(compute("wdpo", { beta: 0.3, beta2: 1e6 }, positive), compute("dpo", { beta: 0.3 }));
    expectClose(
      compute("wdpo", { beta: 0.3, beta2: 1e6, weighting: 3 }, positive),
      compute("dpo", { beta: 0.3 }),
    );
  });

  it("weights that are all alike are dpo once they are normalised", () => {
    const alike = {
      ...eightPairs,
      rewardGaps: new Float64Array(8).fill(0.7),
      pairWeights: new Float64Array(8).fill(3),
    };
    const dpo = compute("dpo", { beta: 0.3 });
    expectClose(compute("wdpo", { beta: 0.3, normalise: 1 }, alike), dpo);
    expectClose(compute("wdpo_column", { beta: 0.3, normalise: 1 }, alike), dpo);
  });

  it("fpo without α is sigmoid_norm with rewards per token", () => {
    const [fpo, plain] = [compute("fpo", { beta: 2, alpha: 0 }), compute("sigmoid_norm", { beta: 2 })];
    expectClose(fpo, plain);
    const { tokens } = eightPairs.chosen;
    fpo.chosenRewards.forEach((reward, pair) => {
      expect(reward * tokens[pair]!).toBeCloseTo(plain.chosenRewards[pair]!, 13);
    });
  });

  it("fpo and tdpo2 hold the chosen side's value, not its gradient", () => {
    const [held, free] = [compute("fpo"), compute("fpo", { stopGradientChosen: 0 })];
    expectClose(held, free);
    expect(held.chosenFeatureGradient).toBeUndefined();
    free.chosenFeatureGradient!.forEach((gradient, pair) => {
      expect(gradient).toBe(-free.rejectedFeatureGradient![pair]!);
    });
    expect(compute("tdpo2").chosenDivergenceGradient).toBeUndefined();
    const tdpo1 = compute("tdpo1", { beta: 0.3 });
    // Equal scalars of log-prob and KL leave e_y - q: the policy's own distribution cancels.
    expect(tdpo1.chosenDivergenceGradient).toEqual(tdpo1.chosenGradient);
    expect(tdpo1.rejectedDivergenceGradient).toEqual(tdpo1.rejectedGradient);
  });

  it("label smoothing 0 is dpo, and robust is its unbiased form", () => {
    expectClose(compute("dpo", { labelSmoothing: 0 }), compute("dpo"));
    // Over flipped labels with share ε the mean of Robust DPO is DPO on the true ones.
    const flipped = { ...eightPairs, chosen: eightPairs.rejected, rejected: eightPairs.chosen };
    const share = 0.2;
    const [straight, turned] = [eightPairs, flipped].map((pairs) =>
      compute("robust", { beta: 0.3, labelSmoothing: share }, pairs),
    );
    compute("dpo", { beta: 0.3 }).losses.forEach((loss, pair) => {
      const unbiased = (1 - share) * straight!.losses[pair]! + share * turned!.losses[pair]!;
      expect(unbiased).toBeCloseTo(loss, 14);
    });
  });

  it("cpo without λ is dpo from a uniform reference, and orpo and cpo contain sft", () => {
    const uniform = (["chosen", "rejected"] as const).reduce<PairStatistics>(
      (statistics, name) => withSide(statistics, name, { referenceLogps: new Float64Array(8) }),
      eightPairs,
    );
    expectClose(compute("cpo", { beta: 0.3, cpoAlpha: 0 }), compute("dpo", { beta: 0.3 }, uniform));
    const likelihood = mean(compute("sft").losses);
    const [one, two] = [1, 2].map((cpoAlpha) => mean(compute("cpo", { beta: 0.3, cpoAlpha }).losses));
    expect(two! - one!).toBeCloseTo(likelihood, 13);
    for (const id of ["cpo", "orpo"] as const) {
      const { sum, weight } = compute(id).metrics!["nll_loss"]!;
      expect(sum / weight).toBeCloseTo(likelihood, 14);
    }
  });
});

describe("first losses of an untouched adapter", () => {
  const atLogTwo: Id[] = ["dpo", "robust", "sigmoid_norm", "fpo", "tdpo1", "tdpo2", "aot", "aot_unpaired"];
  it.each<[Id, number]>([
    ...atLogTwo.map((id): [Id, number] => [id, Math.LN2]),
    ["nca_pair", 2 * Math.LN2],
    ["hinge", 1],
    ["apo_zero", 1],
    ["apo_down", 1],
    ["kto", 0.5],
    ["ipo", 1 / (4 * 0.5 ** 2)],
    ["sppo_hard", 2 / (4 * 0.5 ** 2)],
    // s = 1/2 and ε = 1/4: log(1/2) - (log(3/4) + log(1/4)) / 2 = log(2 / √3).
    ["exo_pair", Math.log(2 / Math.sqrt(3))],
    // μ = 1/2: half of ln 2 and half of e^0.
    ["discopop", (Math.LN2 + 1) / 2],
  ])("%s", (id, expected) => {
    const smoothing = id === "exo_pair" ? { labelSmoothing: 0.25 } : {};
    const { losses, chosenRewards } = compute(id, { beta: 0.5, ...smoothing }, untouched);
    losses.forEach((loss) => expect(loss).toBeCloseTo(expected, 14));
    expect(Array.from(chosenRewards)).toEqual(Array(8).fill(0));
  });

  it("holds for label smoothing and for sums as well", () => {
    const smoothed = compute("dpo", { beta: 0.5, labelSmoothing: 0.3 }, untouched);
    smoothed.losses.forEach((loss) => expect(loss).toBeCloseTo(Math.LN2, 14));
    expect(Array.from(compute("ipo", { beta: 0.5, scale: 1 }, untouched).losses)).toEqual(Array(8).fill(1));
    // Half of the judge's weight is there for a gap of 0.
    const noGap = { ...untouched, rewardGaps: new Float64Array(8) };
    expect(mean(compute("wdpo", {}, noGap).losses)).toBeCloseTo(Math.LN2 / 2, 14);
  });
});

describe("worked examples", () => {
  it("sft's mean loss is the token mean, with log-ratio rewards only when there is a reference", () => {
    const { losses, chosenRewards } = compute("sft");
    expect(mean(losses)).toBeCloseTo(168.25 / 101, 14);
    expect(chosenRewards[0]).toBeCloseTo(0.1, 14);
    const bare = { ...eightPairs };
    const { referenceLogps: _chosen, ...chosen } = bare.chosen;
    const { referenceLogps: _rejected, ...rejected } = bare.rejected;
    expect(compute("sft", {}, { ...bare, chosen, rejected }).chosenRewards).toHaveLength(0);
  });

  it("simpo's rewards are per token and leave γ out", () => {
    const result = compute("simpo", { beta: 2, gamma: 0.5 });
    expect(result.chosenRewards[0]).toBe(-4);
    expect(result.rejectedRewards[0]).toBe(-4);
    expect(result.arguments?.[0]).toBe(-0.5);
  });

  it("kto's baseline is the mean log-ratio of mismatched answers, never below 0, for one pair too", () => {
    const baselineOf = (pairs: number[]) => compute("kto", {}, pick(eightPairs, pairs)).metrics!["kl"]!.sum;
    expect(baselineOf([0, 1, 2, 3])).toBe(0.625);
    expect(baselineOf([1, 7])).toBe(0);
    expect(baselineOf([3])).toBe(3);
  });

  it("aot gives a pair the slope of its rank", () => {
    const pair = (chosen: number[], rejected: number[], reference: number[]): PairStatistics => ({
      pairs: 2,
      chosen: {
        logps: Float64Array.from(chosen),
        tokens: Float64Array.of(1, 1),
        referenceLogps: Float64Array.from(reference),
      },
      rejected: {
        logps: Float64Array.from(rejected),
        tokens: Float64Array.of(1, 1),
        referenceLogps: Float64Array.of(0, 0),
      },
    });
    // Margins 3 and 1, sorted 1 and 3; reference margins 0 and 2: both ranks lead by 1.
    const result = compute("aot", { beta: 1 }, pair([4, 2], [1, 1], [0, 2]));
    expect(Array.from(result.arguments!)).toEqual([1, 1]);
    // Reference margins 0 and 0: the lower rank leads by 1 and belongs to the second pair.
    const uneven = compute("aot", { beta: 1 }, pair([4, 2], [1, 1], [0, 0]));
    expect(Array.from(uneven.arguments!)).toEqual([3, 1]);
    expect(uneven.chosenGradient[1]).toBeCloseTo(-1 / (1 + Math.E) / 2, 14);
    expect(uneven.chosenGradient[0]).toBeCloseTo(-1 / (1 + Math.E ** 3) / 2, 14);
  });

  it("wpo weighs by the product of both confidences, at most 1 while clamped", () => {
    const free = compute("wpo", { clamp: 0 }).weights!;
    free.forEach((weight, pair) => {
      const product =
        Math.exp(eightPairs.chosen.confidences![pair]!) * Math.exp(eightPairs.rejected.confidences![pair]!);
      expect(weight).toBeCloseTo(product, 14);
    });
    expect(Math.max(...free)).toBeGreaterThan(1);
    expect(compute("wpo").weights).toEqual(free.map((weight) => Math.min(1, weight)));
  });

  it("wdpo floors linear weights at 0, and normalised weights have the mean 1", () => {
    const linear = compute("wdpo", { beta2: 2, weighting: 1 }).weights!;
    expect(Array.from(linear)).toEqual([1, 3, 0, 0.2, 4, 1.5, 0, 0.6]);
    expect(mean(compute("wdpo", { beta2: 2, weighting: 1, normalise: 1 }).weights!)).toBeCloseTo(1, 14);
    const nothing = { ...eightPairs, rewardGaps: new Float64Array(8).fill(-1) };
    expect(mean(compute("wdpo", { weighting: 1, normalise: 1 }, nothing).losses)).toBe(0);
  });

  it("a weight in the data below 0, and a choice that has no name, are refused in words", () => {
    const negative = { ...eightPairs, pairWeights: eightPairs.pairWeights!.map((weight) => -weight) };
    expect(() => compute("wdpo_column", {}, negative)).toThrow(
      "a pair has the weight -1; weights are 0 or more",
    );
    expect(() => compute("wdpo", { weighting: 4 })).toThrow("parameter weighting is 4, it goes from 0 to 3");
  });

  it("orpo keeps its digits where an answer is nearly certain, and lets go beyond", () => {
    const certain = (logp: number) => {
      const one = pick(eightPairs, [0]);
      const moved = withSide(one, "rejected", { logps: Float64Array.of(logp), tokens: Float64Array.of(1) });
      return compute("orpo", { beta: 1 }, moved);
    };
    // Odds of e^-x are 1 / (e^x - 1), about 1/x: the chosen answer's are 1 / (e^2 - 1) at -20 over 10 tokens.
    const odds = -Math.log(Math.expm1(2));
    expect(certain(-1e-5).arguments![0]).toBeCloseTo(odds + Math.log(Math.expm1(1e-5)), 12);
    expect(certain(-1e-9).arguments![0]).toBeCloseTo(odds + Math.log(Math.expm1(1e-6)), 9);
    expect(certain(-1e-9).rejectedGradient[0]).toBe(0);
  });

  it("discopop rises with u at an untouched pair when τ is below (1 − ln 2)/3", () => {
    // G(0) = -1/4 - 1/2 + (1 - ln 2) / 4τ.
    const slopeAt = (tau: number) => compute("discopop", { beta: 1, tau }, untouched).chosenGradient[0]! * 8;
    expect(slopeAt(0.05)).toBeCloseTo((1 - Math.LN2) / 0.2 - 0.75, 14);
    expect(slopeAt(0.05)).toBeGreaterThan(0);
    expect(slopeAt(0.2)).toBeLessThan(0);
  });
});
