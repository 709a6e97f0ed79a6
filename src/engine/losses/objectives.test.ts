import { describe, expect, it } from "vitest";
import { objectives } from "./index.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec } from "./objective.ts";
import { objectiveGroups } from "./objective.ts";
import {
  eightPairs,
  everyNeed,
  extremePairs,
  pick,
  totalsOf,
  without,
  withSide,
  type SideName,
} from "./pairStatistics.testing.ts";

type Parameters = Readonly<Record<string, number>>;

const list: [string, Objective][] = Object.entries(objectives);

function defaultsOf(objective: Objective): Record<string, number> {
  return Object.fromEntries(objective.parameters.map(({ key, default: value }) => [key, value]));
}

/** The defaults, and beside them every other choice of every knob that is one. */
const cases: [string, Objective, Parameters][] = list.flatMap(([id, objective]) => {
  const defaults = defaultsOf(objective);
  const others = objective.parameters.flatMap(({ key, choices = [] }) =>
    choices.flatMap((name, value): [string, Objective, Parameters][] =>
      value === defaults[key]
        ? []
        : [[`${id} with ${key} ${name}`, objective, { ...defaults, [key]: value }]],
    ),
  );
  return [[id, objective, defaults], ...others];
});

/** Whose losses of one pair depend on the others of the micro-batch. */
const comparesRanks = ["aot", "aot_unpaired"];
const measuresBaseline = ["kto"];
const isNormalised = (parameters: Parameters) => parameters["normalise"] === 1;

/** Inputs that count as constants although the loss moves with them. */
function isHeld(
  { id }: Objective,
  parameters: Parameters,
  { name, input }: { name: SideName; input: string },
) {
  if (name !== "chosen") return false;
  if (input === "divergences") return id === "tdpo2";
  return input === "featureErrors" && id === "fpo" && parameters["stopGradientChosen"] === 1;
}

const resultArrays = [
  "losses",
  "chosenGradient",
  "rejectedGradient",
  "chosenRewards",
  "rejectedRewards",
  "arguments",
  "chosenDivergenceGradient",
  "rejectedDivergenceGradient",
  "chosenFeatureGradient",
  "rejectedFeatureGradient",
  "weights",
] as const satisfies readonly (keyof ObjectiveResult)[];

function numbersOf(result: ObjectiveResult): Record<string, number[]> {
  return Object.fromEntries(resultArrays.map((name) => [name, Array.from(result[name] ?? [])]));
}

const sum = (values: Iterable<number>) => Array.from(values).reduce((total, value) => total + value, 0);

function stepLoss(objective: Objective, statistics: PairStatistics, parameters: Parameters): number {
  return sum(objective.compute(statistics, parameters, totalsOf(eightPairs)).losses) / eightPairs.pairs;
}

const gradientInputs = [
  ["logps", { chosen: "chosenGradient", rejected: "rejectedGradient" }],
  ["divergences", { chosen: "chosenDivergenceGradient", rejected: "rejectedDivergenceGradient" }],
  ["featureErrors", { chosen: "chosenFeatureGradient", rejected: "rejectedFeatureGradient" }],
] as const;

function outcomeOf(compute: () => ObjectiveResult): string {
  try {
    return compute().losses.every(Number.isFinite) ? "computed" : "not finite";
  } catch (error) {
    return error instanceof Error ? error.name : "thrown";
  }
}

function checkSpec({ default: value, minimum, maximum, scale, choices, isWhole, ...texts }: ParameterSpec) {
  expect(value).toBeGreaterThanOrEqual(minimum);
  expect(value).toBeLessThanOrEqual(maximum);
  expect(minimum).toBeGreaterThanOrEqual(scale === "log" ? Number.MIN_VALUE : -Infinity);
  expect([value, minimum, maximum].every(Number.isInteger) || isWhole !== true).toBe(true);
  const ends = choices === undefined ? [minimum, maximum, isWhole] : [0, choices.length - 1, true];
  expect([minimum, maximum, isWhole]).toEqual(ends);
  for (const text of [texts.key, texts.label, texts.help]) expect(text.trim()).not.toBe("");
}

describe.each(list)("objective %s", (id, objective) => {
  it("is listed under its own id with parameters inside their ranges", () => {
    expect(objective.id).toBe(id);
    expect(objective.parameters.filter((spec) => spec.key.includes("."))).toEqual([]);
    for (const spec of objective.parameters) checkSpec(spec);
    const { label, sentence, formula, watch, healthy, trouble } = objective;
    for (const text of [label, sentence, formula, watch, healthy, trouble]) expect(text.trim()).not.toBe("");
    expect(objective.paper.url).toMatch(/^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}$/);
  });

  it("has its own formula at the defaults of its knobs, and one for every choice that changes it", () => {
    const changing = objective.parameters.filter(({ formulas }) => formulas !== undefined);
    expect(changing.length).toBeLessThan(2);
    for (const { choices, formulas, default: initial } of changing) {
      expect(formulas![initial]).toBe(objective.formula);
      expect(new Set(formulas).size).toBe(choices?.length ?? 2);
    }
  });

  it("refuses parameters that are missing or no numbers, except that optional ones have a default", () => {
    const totals = totalsOf(eightPairs);
    const defaults = defaultsOf(objective);
    const outcome = (parameters: Parameters) =>
      outcomeOf(() => objective.compute(eightPairs, parameters, totals));
    for (const { key, isOptional = false } of objective.parameters) {
      expect(outcome({ ...defaults, [key]: Number.NaN }), key).toBe("ObjectiveInputError");
      const { [key]: _, ...missing } = defaults;
      expect(outcome(missing), key).toBe(isOptional ? "computed" : "ObjectiveInputError");
    }
    const required = objective.parameters.filter(({ isOptional }) => isOptional !== true);
    const given = Object.fromEntries(required.map(({ key }) => [key, defaults[key]!]));
    expect(objective.compute(eightPairs, given, totals)).toEqual(
      objective.compute(eightPairs, defaults, totals),
    );
  });

  it("names exactly what it reads", () => {
    const totals = totalsOf(eightPairs);
    const outcome = (statistics: PairStatistics) =>
      outcomeOf(() => objective.compute(statistics, defaultsOf(objective), totals));
    const others = everyNeed.filter((need) => !objective.needs.includes(need));
    expect(outcome(without(eightPairs, others))).toBe("computed");
    for (const need of objective.needs) {
      expect(outcome(without(eightPairs, [need])), need).toBe("ObjectiveInputError");
    }
  });

  it("stays finite for extreme inputs", () => {
    for (const edge of ["minimum", "maximum"] as const) {
      const parameters = Object.fromEntries(objective.parameters.map((spec) => [spec.key, spec[edge]]));
      const result = objective.compute(extremePairs, parameters, totalsOf(extremePairs));
      const numbers = numbersOf(result);
      expect(numbers["losses"]).toHaveLength(4);
      const metrics = Object.entries(result.metrics ?? {}).map(
        ([name, { sum: total, weight }]) => [name, [total, weight]] as const,
      );
      const infinite = [...Object.entries(numbers), ...metrics].filter(
        ([, values]) => !values.every(Number.isFinite),
      );
      expect(infinite).toEqual([]);
    }
  });
});

describe.each(cases)("objective %s", (_, objective, parameters) => {
  const computed = (statistics: PairStatistics) =>
    objective.compute(statistics, parameters, totalsOf(eightPairs));

  it("has the gradients of central differences", () => {
    const result = computed(eightPairs);
    const step = 1e-5;
    for (const [input, fields] of gradientInputs) {
      for (const name of ["chosen", "rejected"] as const) {
        const gradient = result[fields[name]];
        const held = isHeld(objective, parameters, { name, input });
        expect(held ? gradient : undefined, fields[name]).toBeUndefined();
        if (held) continue;
        const values = eightPairs[name][input]!;
        const lossAt = (pair: number, by: number) => {
          const moved = values.with(pair, values[pair]! + by);
          return stepLoss(objective, withSide(eightPairs, name, { [input]: moved }), parameters);
        };
        for (let pair = 0; pair < eightPairs.pairs; pair++) {
          const slope = (lossAt(pair, step) - lossAt(pair, -step)) / (2 * step);
          expect(gradient?.[pair] ?? 0, `${fields[name]} ${pair}`).toBeCloseTo(slope, 8);
        }
      }
    }
  });

  it("does not depend on the order of the pairs", () => {
    const order = [5, 2, 7, 0, 3, 6, 1, 4];
    const plain = numbersOf(computed(eightPairs));
    const shuffled = numbersOf(computed(pick(eightPairs, order)));
    const isSummed = measuresBaseline.includes(objective.id) || isNormalised(parameters);
    for (const [name, values] of Object.entries(plain)) {
      const expected = values.length === 0 ? values : order.map((pair) => values[pair]!);
      // A mean over the pairs is rounded in the order of the pairs.
      const allowed = isSummed ? 1e-14 : 0;
      const differences = shuffled[name]!.map((value, pair) => Math.abs(value - expected[pair]!));
      expect(shuffled[name], name).toHaveLength(expected.length);
      expect(Math.max(0, ...differences), name).toBeLessThanOrEqual(allowed);
    }
  });
});

/** Results of micro-batches of one pair each, and their arrays one after another. */
function computeApart(objective: Objective, parameters: Parameters) {
  const parts = Array.from({ length: 8 }, (_, pair) =>
    objective.compute(pick(eightPairs, [pair]), parameters, totalsOf(eightPairs)),
  );
  const numbers = parts.map(numbersOf);
  const joined = resultArrays.map((name) => [name, numbers.flatMap((part) => part[name]!)]);
  return { parts, joined: Object.fromEntries(joined) as Record<string, number[]> };
}

const ranked = cases.filter(([, { id }]) => comparesRanks.includes(id));
const shared = cases.filter(
  ([, { id }, parameters]) => measuresBaseline.includes(id) || isNormalised(parameters),
);
const perPair = cases.filter((each) => !ranked.includes(each) && !shared.includes(each));

describe("micro-batches", () => {
  it.each(perPair)("of 1 give %s what one of 8 gives", (_, objective, parameters) => {
    const { parts, joined } = computeApart(objective, parameters);
    const whole = objective.compute(eightPairs, parameters, totalsOf(eightPairs));
    expect(joined).toEqual(numbersOf(whole));
    for (const [name, { sum: total, weight }] of Object.entries(whole.metrics ?? {})) {
      expect(sum(parts.map(({ metrics }) => metrics![name]!.sum)), name).toBeCloseTo(total, 12);
      expect(sum(parts.map(({ metrics }) => metrics![name]!.weight)), name).toBe(weight);
    }
  });

  // Else the exemption would be for nothing.
  it.each(shared)("change %s, which is exempt", (_, objective, parameters) => {
    const whole = objective.compute(eightPairs, parameters, totalsOf(eightPairs));
    expect(computeApart(objective, parameters).joined).not.toEqual(numbersOf(whole));
  });

  it.each(ranked)("of 1 have no ranks for %s to compare", (_, objective, parameters) => {
    expect(() => computeApart(objective, parameters)).toThrow(/at least 2 pairs/);
  });
});

describe("the list", () => {
  it("is in the order of the groups", () => {
    const places = list.map(([, { group }]) => objectiveGroups.indexOf(group));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(new Set(places).size).toBe(objectiveGroups.length);
  });

  it("has no two labels alike", () => {
    expect(new Set(list.map(([, { label }]) => label)).size).toBe(list.length);
  });

  it("says which objectives have nothing to say of a pair alone", () => {
    const comparing = list.filter(([, { comparesPairs }]) => comparesPairs === true).map(([id]) => id);
    expect(new Set(comparing)).toEqual(new Set([...comparesRanks, ...measuresBaseline]));
  });
});
