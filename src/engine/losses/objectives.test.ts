import { describe, expect, it } from "vitest";
import { objectives } from "./index.ts";
import type { Objective, ObjectiveResult, PairStatistics, SideStatistics, StepTotals } from "./objective.ts";
import { ObjectiveInputError } from "./objective.ts";

const list: [string, Objective][] = Object.entries(objectives);

function defaultsOf(objective: Objective): Record<string, number> {
  return Object.fromEntries(objective.parameters.map(({ key, default: value }) => [key, value]));
}

function side(logps: number[], tokens: number[], referenceLogps?: number[]): SideStatistics {
  const base = { logps: Float64Array.from(logps), tokens: Float64Array.from(tokens) };
  return referenceLogps ? { ...base, referenceLogps: Float64Array.from(referenceLogps) } : base;
}

const eightPairs: PairStatistics = {
  pairs: 8,
  chosen: side(
    [-20, -31.5, -3, -12, -50.25, -7.5, -18, -26],
    [10, 21, 3, 5, 30, 2, 17, 13],
    [-21, -30, -3.5, -12, -55, -7, -18.5, -20],
  ),
  rejected: side(
    [-22, -30, -4, -12, -44, -17, -15, -29],
    [11, 20, 4, 5, 28, 9, 14, 16],
    [-20, -31, -3.75, -12, -45, -9, -16, -30],
  ),
};

function totalsOf(statistics: PairStatistics): StepTotals {
  return {
    pairs: statistics.pairs,
    chosenTokens: statistics.chosen.tokens.reduce((sum, tokens) => sum + tokens, 0),
  };
}

function pick(statistics: PairStatistics, pairs: number[]): PairStatistics {
  const pickSide = ({ logps, tokens, referenceLogps }: SideStatistics) =>
    side(
      pairs.map((pair) => logps[pair]!),
      pairs.map((pair) => tokens[pair]!),
      referenceLogps && pairs.map((pair) => referenceLogps[pair]!),
    );
  return {
    pairs: pairs.length,
    chosen: pickSide(statistics.chosen),
    rejected: pickSide(statistics.rejected),
  };
}

const resultArrays = [
  "losses",
  "chosenGradient",
  "rejectedGradient",
  "chosenRewards",
  "rejectedRewards",
  "arguments",
] as const satisfies readonly (keyof ObjectiveResult)[];

function numbersOf(result: ObjectiveResult): Record<string, number[]> {
  return Object.fromEntries(resultArrays.map((name) => [name, Array.from(result[name] ?? [])]));
}

function stepLoss(objective: Objective, statistics: PairStatistics): number {
  const { losses } = objective.compute(statistics, defaultsOf(objective), totalsOf(eightPairs));
  return losses.reduce((sum, loss) => sum + loss, 0) / eightPairs.pairs;
}

/** Statistics with the log-prob of one answer moved. */
function moved({
  side: name,
  pair,
  by,
}: {
  side: "chosen" | "rejected";
  pair: number;
  by: number;
}): PairStatistics {
  const logps = Float64Array.from(eightPairs[name].logps);
  logps[pair] = logps[pair]! + by;
  return { ...eightPairs, [name]: { ...eightPairs[name], logps } };
}

function outcomeOf(compute: () => ObjectiveResult): string {
  try {
    return compute().losses.every(Number.isFinite) ? "computed" : "not finite";
  } catch (error) {
    return error instanceof Error ? error.name : "thrown";
  }
}

describe.each(list)("objective %s", (id, objective) => {
  it("is listed under its own id with parameters inside their ranges", () => {
    expect(objective.id).toBe(id);
    for (const { default: value, minimum, maximum, scale } of objective.parameters) {
      expect(value).toBeGreaterThanOrEqual(minimum);
      expect(value).toBeLessThanOrEqual(maximum);
      expect(minimum).toBeGreaterThanOrEqual(scale === "log" ? Number.MIN_VALUE : -Infinity);
    }
    for (const text of [
      objective.label,
      objective.sentence,
      objective.formula,
      objective.watch,
      objective.healthy,
    ]) {
      expect(text.trim()).not.toBe("");
    }
    expect(objective.paper.url).toMatch(/^https:\/\//);
  });

  it("has the gradients of central differences", () => {
    const { chosenGradient, rejectedGradient } = objective.compute(
      eightPairs,
      defaultsOf(objective),
      totalsOf(eightPairs),
    );
    const step = 1e-5;
    for (const [name, gradient] of Object.entries({ chosen: chosenGradient, rejected: rejectedGradient })) {
      for (let pair = 0; pair < eightPairs.pairs; pair++) {
        const at = { side: name as "chosen" | "rejected", pair };
        const above = stepLoss(objective, moved({ ...at, by: step }));
        const below = stepLoss(objective, moved({ ...at, by: -step }));
        expect(gradient[pair], `${name} ${pair}`).toBeCloseTo((above - below) / (2 * step), 8);
      }
    }
  });

  it("does not depend on the order of the pairs", () => {
    const order = [5, 2, 7, 0, 3, 6, 1, 4];
    const parameters = defaultsOf(objective);
    const plain = numbersOf(objective.compute(eightPairs, parameters, totalsOf(eightPairs)));
    const shuffled = numbersOf(objective.compute(pick(eightPairs, order), parameters, totalsOf(eightPairs)));
    const reordered = Object.entries(plain).map(([name, values]) => [
      name,
      values.length === 0 ? [] : order.map((pair) => values[pair]),
    ]);
    expect(shuffled).toEqual(Object.fromEntries(reordered));
  });

  it("gives 8 x 1 what it gives 1 x 8", () => {
    const parameters = defaultsOf(objective);
    const whole = numbersOf(objective.compute(eightPairs, parameters, totalsOf(eightPairs)));
    const parts = Array.from({ length: 8 }, (_, pair) =>
      numbersOf(objective.compute(pick(eightPairs, [pair]), parameters, totalsOf(eightPairs))),
    );
    const joined = Object.keys(whole).map((name) => [name, parts.flatMap((part) => part[name]!)]);
    expect(Object.fromEntries(joined)).toEqual(whole);
  });

  it("stays finite for extreme inputs", () => {
    const extreme: PairStatistics = {
      pairs: 4,
      chosen: side([-1e6, 0, -1e-12, -5e4], [1, 4096, 1, 1], [0, -1e6, -1e-12, -5e4]),
      rejected: side([0, -1e6, -1e-12, -1e5], [4096, 1, 1, 1], [-1e6, 0, -1e-12, 0]),
    };
    for (const edge of ["minimum", "maximum"] as const) {
      const parameters = Object.fromEntries(objective.parameters.map((spec) => [spec.key, spec[edge]]));
      const result = numbersOf(objective.compute(extreme, parameters, totalsOf(extreme)));
      expect(result["losses"]).toHaveLength(4);
      const infinite = Object.entries(result).filter(([, values]) => !values.every(Number.isFinite));
      expect(infinite).toEqual([]);
    }
  });

  it("refuses missing parameters and missing references", () => {
    const totals = totalsOf(eightPairs);
    for (const { key } of objective.parameters) {
      const parameters = { ...defaultsOf(objective), [key]: Number.NaN };
      expect(() => objective.compute(eightPairs, parameters, totals)).toThrow(ObjectiveInputError);
    }
    const bare = {
      ...eightPairs,
      chosen: side([...eightPairs.chosen.logps], [...eightPairs.chosen.tokens]),
      rejected: side([...eightPairs.rejected.logps], [...eightPairs.rejected.tokens]),
    };
    const compute = () => objective.compute(bare, defaultsOf(objective), totals);
    const outcome = outcomeOf(compute);
    const needsReference = objective.needs.includes("referenceLogps");
    expect(outcome).toBe(needsReference ? "ObjectiveInputError" : "computed");
  });
});

describe("first losses and rewards", () => {
  it("dpo starts at ln 2 with zero rewards on an untouched adapter", () => {
    const untouched = {
      ...eightPairs,
      chosen: { ...eightPairs.chosen, referenceLogps: eightPairs.chosen.logps },
      rejected: { ...eightPairs.rejected, referenceLogps: eightPairs.rejected.logps },
    };
    const result = objectives.dpo.compute(untouched, { beta: 0.1 }, totalsOf(untouched));
    expect(Array.from(result.losses)).toEqual(Array(8).fill(Math.LN2));
    expect(Array.from(result.chosenRewards)).toEqual(Array(8).fill(0));
  });

  it("sft's mean loss is the token mean, with log-ratio rewards only when there is a reference", () => {
    const totals = totalsOf(eightPairs);
    const { losses, chosenRewards } = objectives.sft.compute(eightPairs, {}, totals);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / 8;
    expect(mean).toBeCloseTo(168.25 / 101, 14);
    expect(chosenRewards[0]).toBeCloseTo(0.1, 14);
    const { referenceLogps: _chosen, ...chosen } = eightPairs.chosen;
    const { referenceLogps: _rejected, ...rejected } = eightPairs.rejected;
    expect(objectives.sft.compute({ pairs: 8, chosen, rejected }, {}, totals).chosenRewards).toHaveLength(0);
  });

  it("simpo's rewards are per token and leave γ out", () => {
    const result = objectives.simpo.compute(eightPairs, { beta: 2, gamma: 0.5 }, totalsOf(eightPairs));
    expect(result.chosenRewards[0]).toBe(-4);
    expect(result.rejectedRewards[0]).toBe(-4);
    expect(result.arguments?.[0]).toBe(-0.5);
  });
});
