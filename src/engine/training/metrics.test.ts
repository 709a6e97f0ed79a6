import { describe, expect, it } from "vitest";
import { pairBatch } from "../data/batch.ts";
import { statisticsWidth } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { dpo } from "../losses/dpo.ts";
import type { PairStatistics } from "../losses/objective.ts";
import { simpo } from "../losses/simpo.ts";
import type { MetricBatch } from "./metrics.ts";
import { MetricAccumulator, prefixed } from "./metrics.ts";
import { metricBatch } from "./pairScores.ts";
import { entryStatistics } from "./scoring.ts";

const numbers = (...values: number[]) => Float64Array.from(values);

const twoPairs: PairStatistics = {
  pairs: 2,
  chosen: { logps: numbers(-10, -30), tokens: numbers(5, 20), referenceLogps: numbers(-12, -29) },
  rejected: { logps: numbers(-20, -24), tokens: numbers(4, 12), referenceLogps: numbers(-16, -27) },
};
const totals = { pairs: 2, chosenTokens: 25 };

/** Log-ratios: chosen 2 and -1, rejected -4 and 3. */
const batch: MetricBatch = {
  statistics: twoPairs,
  result: dpo.compute(twoPairs, { beta: 0.5 }, totals),
  chosen: { entropies: numbers(10, 15), divergences: numbers(0.5, 1.5), meanLogits: numbers(-5, 30) },
  rejected: { entropies: numbers(4, 8), divergences: numbers(1, 3), meanLogits: numbers(8, 16) },
};

const sigmoidOf = (u: number) => 1 / (1 + Math.exp(-u));

const expected = {
  loss: (-Math.log(sigmoidOf(3)) - Math.log(sigmoidOf(-2))) / 2,
  "rewards/chosen": 0.25,
  "rewards/rejected": -0.25,
  "rewards/margins": 0.5,
  "rewards/accuracies": 0.5,
  "margins/logratio": 1,
  "accuracies/logratio": 0.5,
  "margins/logratio_per_token": (2 / 5 + 4 / 4 + (-1 / 20 - 3 / 12)) / 2,
  "logps/chosen": -20,
  "logps/rejected": -22,
  "logps_per_token/chosen": -40 / 25,
  "logps_per_token/rejected": -44 / 16,
  "accuracies/logps": 0.5,
  "accuracies/logps_per_token": 1,
  "length/chosen": 12.5,
  "length/rejected": 8,
  entropy: 37 / 41,
  "entropy/chosen": 1,
  "entropy/rejected": 0.75,
  "kl/chosen": 1,
  "kl/rejected": 2,
  "kl/margin": -1,
  "kl_per_token/chosen": 2 / 25,
  "kl_per_token/rejected": 4 / 16,
  "logits/chosen": 1,
  "logits/rejected": 1.5,
  "objective/u_abs": 2.5,
  "objective/pair_weight": (sigmoidOf(-3) + sigmoidOf(2)) / 2,
};

function recordOf(...batches: MetricBatch[]) {
  const accumulator = new MetricAccumulator();
  for (const each of batches) accumulator.add(each);
  return accumulator.record();
}

/** A record without the rounding of its last digits. */
function rounded(record: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, Number(value.toFixed(12))]));
}

describe("MetricAccumulator", () => {
  it("gives every metric of a worked example", () => {
    expect(rounded(recordOf(batch))).toEqual(rounded(expected));
  });

  it("gives the same for one pair at a time, token means included", () => {
    const single = (pair: number): MetricBatch => {
      const at = (values: Float64Array | undefined) => values!.slice(pair, pair + 1);
      const side = (name: "chosen" | "rejected") => ({
        logps: at(twoPairs[name].logps),
        tokens: at(twoPairs[name].tokens),
        referenceLogps: at(twoPairs[name].referenceLogps),
      });
      const sums = (name: "chosen" | "rejected") => ({
        entropies: at(batch[name]?.entropies),
        divergences: at(batch[name]?.divergences),
        meanLogits: at(batch[name]?.meanLogits),
      });
      const statistics = { pairs: 1, chosen: side("chosen"), rejected: side("rejected") };
      const result = dpo.compute(statistics, { beta: 0.5 }, totals);
      return { statistics, result, chosen: sums("chosen"), rejected: sums("rejected") };
    };
    expect(rounded(recordOf(single(1), single(0)))).toEqual(rounded(expected));
  });

  it("leaves out what was not measured instead of logging 0", () => {
    const { referenceLogps: _chosen, ...chosen } = twoPairs.chosen;
    const { referenceLogps: _rejected, ...rejected } = twoPairs.rejected;
    const statistics = { pairs: 2, chosen, rejected };
    const names = Object.keys(
      recordOf({ statistics, result: simpo.compute(statistics, { beta: 2, gamma: 0.5 }, totals) }),
    );
    expect(names).not.toContain("margins/logratio");
    expect(names.filter((name) => /^(kl|entropy|logits)/.test(name))).toEqual([]);
    expect(names).toContain("rewards/margins");
    const { arguments: _arguments, ...result } = batch.result;
    const withoutRewards = { ...result, chosenRewards: numbers(), rejectedRewards: numbers() };
    const bare = Object.keys(recordOf({ statistics, result: withoutRewards }));
    expect(bare.filter((name) => /^(rewards|objective)/.test(name))).toEqual([]);
    expect(recordOf()).toEqual({});
  });

  it("counts a tie as a miss", () => {
    const side = { logps: numbers(-4), tokens: numbers(2), referenceLogps: numbers(-4) };
    const statistics = { pairs: 1, chosen: side, rejected: side };
    const record = recordOf({ statistics, result: dpo.compute(statistics, { beta: 0.1 }, totals) });
    expect(record["rewards/accuracies"]).toBe(0);
    expect(record["accuracies/logps"]).toBe(0);
    expect(record["accuracies/logps_per_token"]).toBe(0);
    expect(record["objective/pair_weight"]).toBe(0.5);
  });
});

describe("metrics of further statistics", () => {
  const sums = (...values: number[]) => ({ reverseDivergences: numbers(...values), hits: numbers(3, 12) });

  it("gives KL(policy || reference) by answer and by token, and hits of chosen tokens alone", () => {
    const record = recordOf({
      ...batch,
      chosen: sums(0.25, 0.75),
      // Hits of rejected answers are not counted.
      rejected: { ...sums(2, 6), hits: numbers(0, 0) },
    });
    expect(record).toMatchObject({
      "kl_reverse/chosen": 0.5,
      "kl_reverse/rejected": 4,
      "kl_reverse_per_token/chosen": 1 / 25,
      "kl_reverse_per_token/rejected": 8 / 16,
      mean_token_accuracy: 15 / 25,
    });
    expect(Object.keys(record).filter((name) => name.startsWith("kl/"))).toEqual([]);
  });

  it("gives the drift of features by side, and nothing of it in rewards", () => {
    const record = recordOf({
      ...batch,
      chosen: { ...batch.chosen, featureErrors: numbers(1, 4), heldErrors: numbers(2, 4) },
      rejected: { ...batch.rejected, featureErrors: numbers(3, 9) },
    });
    expect(record["features/held_mse_chosen"]).toBe(3);
    delete record["features/held_mse_chosen"];
    const { "features/mse_chosen": chosen, "features/mse_rejected": rejected, ...others } = record;
    expect([chosen, rejected, record["features/mse_margin"]]).toEqual([2.5, 6, -3.5]);
    const { "features/mse_margin": _, ...rest } = others;
    expect(rounded(rest)).toEqual(rounded(expected));
  });

  it("averages effective sample sizes over micro-batches by their pairs", () => {
    const weighted = (...weights: number[]) => ({
      ...batch,
      result: { ...batch.result, weights: numbers(...weights) },
    });
    // (1 + 3)² / (1 + 9) of 2 pairs is 1.6.
    expect(recordOf(weighted(1, 3))).toMatchObject({ "weights/mean": 2, "weights/ess": 1.6 });
    // Equal weights count in full: 3 of 3.
    const both = recordOf(weighted(1, 3), weighted(0.5, 0.5, 0.5));
    expect(both["weights/mean"]).toBeCloseTo(5.5 / 5, 12);
    expect(both["weights/ess"]).toBeCloseTo((1.6 * 2 + 3 * 3) / 5, 12);
    expect(recordOf(weighted(0, 0))).toMatchObject({ "weights/mean": 0, "weights/ess": 0 });
  });

  it("adds up what an objective names itself, and leaves out what has no weight", () => {
    const named = (sum: number, weight: number) => ({
      ...batch,
      result: { ...batch.result, metrics: { nll_loss: { sum, weight }, kl: { sum: 1, weight: 0 } } },
    });
    const record = recordOf(named(10, 4), named(5, 16));
    expect(record["nll_loss"]).toBe(0.75);
    expect(record).not.toHaveProperty("kl");
  });
});

describe("metricBatch", () => {
  const scored = (value: (column: number, entry: number) => number) =>
    entryStatistics(
      Float64Array.from({ length: 7 * statisticsWidth }, (_, at) =>
        value(at % statisticsWidth, Math.floor(at / statisticsWidth)),
      ),
      6,
    );
  const pairs = [
    { prompt: Int32Array.of(1), chosen: Int32Array.of(2), rejected: Int32Array.of(3, 4), row: 0 },
    { prompt: Int32Array.of(5), chosen: Int32Array.of(6, 7), rejected: Int32Array.of(8), row: 1 },
  ];
  const flat = pairBatch(pairs);

  it("sums every quantity by answer, and has divergences only where they were measured", () => {
    // Column c of entry e holds 100c + e; the entry after the sixth is padding.
    const entries = scored((column, entry) => 100 * column + entry);
    const sumsOf = (column: number) => {
      const sums = [0, 0, 0, 0];
      flat.entrySequence.forEach((sequence, entry) => (sums[sequence]! += 100 * column + entry));
      return { chosen: numbers(...sums.slice(0, 2)), rejected: numbers(...sums.slice(2)) };
    };
    expect(flat.entrySequence).toHaveLength(6);
    expect(entries.logSumSquares).toEqual(numbers(600, 601, 602, 603, 604, 605));
    const outcome = { statistics: twoPairs, result: batch.result, drifts: { compared: null, held: null } };
    const found = { entries, pooled: null };
    const measured = metricBatch(flat, found, { ...outcome, hasKl: true });
    for (const side of ["chosen", "rejected"] as const) {
      expect(measured[side]).toEqual({
        entropies: sumsOf(1)[side],
        divergences: sumsOf(2)[side],
        meanLogits: sumsOf(3)[side],
        reverseDivergences: sumsOf(7)[side],
        hits: sumsOf(8)[side],
      });
    }
    const bare = metricBatch(flat, found, { ...outcome, hasKl: false });
    expect(Object.keys(bare.chosen ?? {})).toEqual(["entropies", "meanLogits", "hits"]);
  });

  it("has active features by token, and the overlap of every answer, where features were pooled", () => {
    const entries = scored(() => 1);
    // Answers of 1, 2, 2 and 1 tokens with means of 3, 2, 5 and 4 active features.
    const pooled = { means: new Float32Array(4 * 8), active: numbers(3, 2, 5, 4) };
    const compared = [0.5, 1, 0, 0.25].map((overlap, answer) => ({
      distance: answer,
      overlap,
      features: new Int32Array(),
      slopes: numbers(),
    }));
    const lengths: PairStatistics = {
      pairs: 2,
      chosen: { ...twoPairs.chosen, tokens: numbers(1, 2) },
      rejected: { ...twoPairs.rejected, tokens: numbers(2, 1) },
    };
    const drifts = { compared, held: compared.map((drift) => ({ ...drift, distance: 7 })) };
    const outcome = { statistics: lengths, result: batch.result, hasKl: false, drifts };
    const measured = metricBatch(flat, { entries, pooled }, outcome);
    expect(measured.chosen?.activeFeatures).toEqual(numbers(3, 4));
    expect(measured.rejected?.activeFeatures).toEqual(numbers(10, 4));
    const record = recordOf(measured);
    expect(record["features/l0"]).toBe(21 / 6);
    expect(record["features/overlap"]).toBe(1.75 / 4);
    expect(record).toMatchObject({
      "features/mse_chosen": 0.5,
      "features/mse_rejected": 2.5,
      "features/held_mse_chosen": 7,
      "features/held_mse_rejected": 7,
    });
  });
});

describe("prefixed", () => {
  it("renames every entry", () => {
    expect(prefixed("eval_", { loss: 1, "kl/chosen": 2 })).toEqual({ eval_loss: 1, "eval_kl/chosen": 2 });
  });
});
