import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { objectives } from "./index.ts";
import type { Objective, ObjectiveResult, SideStatistics } from "./objective.ts";

interface FixtureSide {
  readonly policyLogits: number[];
  readonly labels: number[];
}

interface FixtureStatistics {
  readonly sumLogps: number[];
  readonly scoredTokens: number[];
  readonly sumReferenceLogps: number[];
}

interface Expected {
  readonly params: Readonly<Record<string, unknown>>;
  readonly losses: number[];
  readonly meanLoss: number;
  readonly gradChosenLogits: number[];
  readonly gradRejectedLogits: number[];
  readonly rewardsChosen?: number[];
  readonly rewardsRejected?: number[];
}

interface Fixture {
  readonly shape: { readonly pairs: number; readonly time: number; readonly vocab: number };
  readonly chosen: FixtureSide;
  readonly rejected: FixtureSide;
  readonly statistics: { readonly chosen: FixtureStatistics; readonly rejected: FixtureStatistics };
  readonly expected: Readonly<Record<string, Expected>>;
}

const root = resolve(import.meta.dirname, "../../..");
const folder = join(resolve(root, process.env["FIXTURES_DIR"] ?? "../shared/fixtures"), "losses");
const isPresent = existsSync(folder);
if (!isPresent) console.log(`skipped: no loss fixtures at ${folder} (set FIXTURES_DIR)`);

/** Largest difference, relative or absolute, whichever is smaller: the lists carry 12 significant digits. */
function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const differences = Array.from(
    expected,
    (value, i) => Math.abs(actual[i]! - value) / Math.max(1, Math.abs(value)),
  );
  return Math.max(...differences);
}

function sideOf({ sumLogps, scoredTokens, sumReferenceLogps }: FixtureStatistics): SideStatistics {
  return {
    logps: Float64Array.from(sumLogps),
    tokens: Float64Array.from(scoredTokens),
    referenceLogps: Float64Array.from(sumReferenceLogps),
  };
}

/** Gradient of the logits [pairs, time, vocabulary]: a (e_y - p) at scored rows, 0 elsewhere. */
function logitGradients(
  side: FixtureSide,
  gradient: Float64Array,
  { time, vocab }: Fixture["shape"],
): number[] {
  const result = side.policyLogits.map(() => 0);
  side.labels.forEach((label, at) => {
    const position = at % time;
    if (label < 0 || position === 0) return;
    const base = (at - 1) * vocab;
    const logits = side.policyLogits.slice(base, base + vocab);
    const maximum = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0);
    const scalar = gradient[Math.floor(at / time)]!;
    logits.forEach((logit, v) => {
      result[base + v] = scalar * ((v === label ? 1 : 0) - Math.exp(logit - maximum) / total);
    });
  });
  return result;
}

function parametersFrom(objective: Objective, params: Expected["params"]): Record<string, number> {
  return Object.fromEntries(
    objective.parameters.map(({ key }) => {
      const value = params[key];
      if (typeof value !== "number") throw new Error(`the fixture has no number for ${objective.id}.${key}`);
      return [key, value];
    }),
  );
}

/** Largest difference of every array that the file has for an objective. */
function differences(id: string, result: ObjectiveResult, fixture: Fixture): Record<string, number> {
  const { chosen, rejected, shape } = fixture;
  const expected = fixture.expected[id]!;
  const mean = result.losses.reduce((sum, loss) => sum + loss, 0) / shape.pairs;
  // The file repeats the batch's scalar for sft; ours are each pair's share of it.
  const losses = id === "sft" ? {} : { losses: worstDifference(result.losses, expected.losses) };
  const rewards = expected.rewardsChosen && {
    chosenRewards: worstDifference(result.chosenRewards, expected.rewardsChosen),
    rejectedRewards: worstDifference(result.rejectedRewards, expected.rewardsRejected ?? []),
  };
  const chosenGradient = logitGradients(chosen, result.chosenGradient, shape);
  const rejectedGradient = logitGradients(rejected, result.rejectedGradient, shape);
  return {
    meanLoss: worstDifference([mean], [expected.meanLoss]),
    ...losses,
    ...rewards,
    chosenGradient: worstDifference(chosenGradient, expected.gradChosenLogits),
    rejectedGradient: worstDifference(rejectedGradient, expected.gradRejectedLogits),
  };
}

describe.skipIf(!isPresent).each(["small", "padded", "peaky"])("loss fixture %s", (name) => {
  const fixture = isPresent
    ? (JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Fixture)
    : undefined;
  const ids = Object.keys(objectives).filter((id) => fixture && id in fixture.expected);

  it("covers every objective of the list", () => {
    expect(ids.length).toBeGreaterThan(0);
    expect(Object.keys(objectives)).toEqual(ids);
  });

  it.each(ids)("%s", (id) => {
    if (!fixture) throw new Error("unreachable without the fixture");
    const objective = (objectives as Record<string, Objective>)[id]!;
    const chosen = sideOf(fixture.statistics.chosen);
    const totals = {
      pairs: fixture.shape.pairs,
      chosenTokens: chosen.tokens.reduce((sum, tokens) => sum + tokens, 0),
    };
    const statistics = { pairs: totals.pairs, chosen, rejected: sideOf(fixture.statistics.rejected) };
    const parameters = parametersFrom(objective, fixture.expected[id]!.params);
    const found = differences(id, objective.compute(statistics, parameters, totals), fixture);
    expect(Object.entries(found).filter(([, difference]) => !(difference <= 1e-9))).toEqual([]);
  });
});
