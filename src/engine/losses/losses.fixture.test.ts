import { describe, expect, it } from "vitest";
import { hasFixtures } from "../testing/fixtures.ts";
import { featureDrift, hiddenGradients, type FeatureDrift } from "./fixtureFeatures.testing.ts";
import { caseOf, fixtureCases, fixtureNames, readLossFixture } from "./fixtureFile.testing.ts";
import type { Expected, Fixture, FixtureStatistics } from "./fixtureFile.testing.ts";
import {
  logitGradients,
  meanEntropy,
  pairStatistics,
  scoredRows,
  sideStatistics,
  sumByPair,
  totalsOf,
  type FullSide,
  type Measured,
  type ScoredRow,
} from "./fixtureStatistics.testing.ts";
import { batchLosses, meanOf } from "./fixtureLosses.testing.ts";
import { objectives } from "./index.ts";
import type { ObjectiveResult } from "./objective.ts";

/** The lists carry 12 significant digits; ORPO's come from code that computes in 32 bits. */
const tolerances: Readonly<Record<string, number>> = { orpo: 1e-6 };
const exact = 1e-9;

/** Largest difference, relative or absolute, whichever is smaller. */
function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const differences = Array.from(
    expected,
    (value, i) => Math.abs(actual[i]! - value) / Math.max(1, Math.abs(value)),
  );
  return Math.max(...differences);
}

interface Setup extends Measured {
  readonly fixture: Fixture;
  readonly rows: { readonly chosen: readonly ScoredRow[]; readonly rejected: readonly ScoredRow[] };
}

function setupOf(fixture: Fixture): Setup {
  const chosen = scoredRows(fixture.chosen, fixture.shape);
  const rejected = scoredRows(fixture.rejected, fixture.shape);
  const { pairs } = fixture.shape;
  return {
    fixture,
    rows: { chosen, rejected },
    chosen: sideStatistics(chosen, pairs),
    rejected: sideStatistics(rejected, pairs),
  };
}

function gradientDifferences(result: ObjectiveResult, expected: Expected, { rows, fixture }: Setup) {
  const chosen = logitGradients(rows.chosen, fixture.shape, {
    logps: result.chosenGradient,
    divergences: result.chosenDivergenceGradient,
  });
  const rejected = logitGradients(rows.rejected, fixture.shape, {
    logps: result.rejectedGradient,
    divergences: result.rejectedDivergenceGradient,
  });
  return {
    chosenGradient: worstDifference(chosen, expected.gradChosenLogits),
    rejectedGradient: worstDifference(rejected, expected.gradRejectedLogits),
  };
}

function featureDifferences(
  result: ObjectiveResult,
  expected: Expected,
  { fixture: { shape }, drift }: { fixture: Fixture; drift: FeatureDrift },
) {
  if (expected.featureMseChosen === undefined) return {};
  const chosen = hiddenGradients(drift.chosen, shape, result.chosenFeatureGradient);
  const rejected = hiddenGradients(drift.rejected, shape, result.rejectedFeatureGradient);
  return {
    chosenErrors: worstDifference(drift.chosen.errors, expected.featureMseChosen),
    rejectedErrors: worstDifference(drift.rejected.errors, expected.featureMseRejected ?? []),
    chosenHidden: worstDifference(chosen, expected.gradChosenHidden ?? []),
    rejectedHidden: worstDifference(rejected, expected.gradRejectedHidden ?? []),
  };
}

/** Metrics that the file has as lists; a scalar is a list of one. */
function metricDifferences({ metrics = {} }: ObjectiveResult, expected: Expected) {
  const listed = {
    "repoRewards/chosen": expected.featureMseChosen ? undefined : expected.repoRewardsChosen,
    "repoRewards/rejected": expected.featureMseChosen ? undefined : expected.repoRewardsRejected,
    nll_loss: expected.nll,
    kl: expected.kl,
  };
  return Object.fromEntries(
    Object.entries(listed).flatMap(([name, values]) => {
      if (values === undefined) return [];
      const { sum, weight } = metrics[name] ?? { sum: NaN, weight: 1 };
      return [[name, worstDifference([sum / weight], [meanOf(values)])]];
    }),
  );
}

/** Largest difference of every array that the file has for a key. */
function differences(key: string, setup: Setup): Record<string, number> {
  const { fixture } = setup;
  const expected = fixture.expected[key]!;
  const drift = featureDrift(fixture, key === "fpo_released" ? "released" : "paper");
  const { objective, parameters } = caseOf(key, fixture);
  const result = objective.compute(
    pairStatistics(key, fixture, { ...setup, drift }),
    parameters,
    totalsOf(setup),
  );
  const found = batchLosses(key, result, { parameters, measured: setup });
  const rewards = expected.rewardsChosen && {
    chosenRewards: worstDifference(result.chosenRewards, expected.rewardsChosen),
    rejectedRewards: worstDifference(result.rejectedRewards, expected.rewardsRejected ?? []),
  };
  return {
    meanLoss: worstDifference([meanOf(result.losses)], [expected.meanLoss]),
    losses: worstDifference(found.losses, found.listed(expected.losses)),
    ...rewards,
    ...gradientDifferences(result, expected, setup),
    ...featureDifferences(result, expected, { fixture, drift }),
    ...metricDifferences(result, expected),
  };
}

function statisticDifferences(found: FullSide, rows: readonly ScoredRow[], expected: FixtureStatistics) {
  const pairs = found.tokens.length;
  const means = sumByPair(rows, pairs, ({ pair, policy, label }) => policy[label]! / found.tokens[pair]!);
  return {
    sumLogps: worstDifference(found.logps, expected.sumLogps),
    averageLogps: worstDifference(means, expected.averageLogps),
    scoredTokens: worstDifference(found.tokens, expected.scoredTokens),
    sumReferenceLogps: worstDifference(found.referenceLogps, expected.sumReferenceLogps),
    sequentialKl: worstDifference(found.divergences, expected.sequentialKl),
    meanEntropy: worstDifference([meanEntropy(rows)], [expected.meanEntropy]),
  };
}

const tooLarge = (found: Record<string, number>, tolerance: number) =>
  Object.entries(found).filter(([, difference]) => !(difference <= tolerance));

const keys = Object.keys(fixtureCases);

describe.skipIf(!hasFixtures).each(fixtureNames)("loss fixture %s", async (name) => {
  const setup = hasFixtures ? setupOf(await readLossFixture(name)) : null;
  const needSetup = () => setup ?? expect.unreachable("without the fixture");

  it("is covered key by key, and covers every objective but those that it does not know", () => {
    expect(new Set(Object.keys(needSetup().fixture.expected))).toEqual(new Set(keys));
    const covered = new Set<string>(Object.values(fixtureCases).map(({ id }) => id));
    expect(Object.keys(objectives).filter((id) => !covered.has(id))).toEqual(["wpo", "wdpo_column"]);
  });

  it("has the statistics that its logits give", () => {
    const { fixture, chosen, rejected, rows } = needSetup();
    const found = {
      chosen: statisticDifferences(chosen, rows.chosen, fixture.statistics.chosen),
      rejected: statisticDifferences(rejected, rows.rejected, fixture.statistics.rejected),
    };
    expect(tooLarge(found.chosen, exact)).toEqual([]);
    expect(tooLarge(found.rejected, exact)).toEqual([]);
  });

  it.each(keys)("%s", (key) => {
    expect(tooLarge(differences(key, needSetup()), tolerances[key] ?? exact)).toEqual([]);
  });
});
