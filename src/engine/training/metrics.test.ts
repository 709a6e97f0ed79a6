import { describe, expect, it } from "vitest";
import { dpo } from "../losses/dpo.ts";
import type { PairStatistics } from "../losses/objective.ts";
import { simpo } from "../losses/simpo.ts";
import type { MetricBatch } from "./metrics.ts";
import { MetricAccumulator, prefixed } from "./metrics.ts";

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

describe("prefixed", () => {
  it("renames every entry", () => {
    expect(prefixed("eval_", { loss: 1, "kl/chosen": 2 })).toEqual({ eval_loss: 1, "eval_kl/chosen": 2 });
  });
});
