/** Eight invented pairs with every input that an objective can ask for, and ways to change them; for tests. */
import type { ObjectiveNeed, PairStatistics, SideStatistics, StepTotals } from "./objective.ts";

/** One of the two sides. */
export type SideName = "chosen" | "rejected";

/** Inputs that are arrays of a side, and those that are arrays of the pairs. */
const sideInputs = [
  "logps",
  "tokens",
  "referenceLogps",
  "divergences",
  "featureErrors",
  "confidences",
] as const;
const pairInputs = ["mismatchedRatios", "rewardGaps", "pairWeights"] as const;

type Inputs<Name extends string> = { readonly [Key in Name]: readonly number[] };

/** A side with every input. */
function fullSide(inputs: Inputs<(typeof sideInputs)[number]>): SideStatistics {
  const entries = sideInputs.map((name) => [name, Float64Array.from(inputs[name])]);
  return Object.fromEntries(entries) as SideStatistics;
}

/** Pairs on which no objective stands at a kink: margins on both sides of 0, no two ranks equal, weights apart. */
export const eightPairs: PairStatistics = {
  pairs: 8,
  chosen: fullSide({
    logps: [-20, -31.5, -3, -12, -50.25, -7.5, -18, -26],
    tokens: [10, 21, 3, 5, 30, 2, 17, 13],
    referenceLogps: [-21, -30, -3.5, -12, -55, -7, -18.75, -20],
    divergences: [0.5, 1.25, 0.1, 0.25, 3, 0.05, 0.75, 2],
    featureErrors: [0.1, 0.02, 0.5, 0, 0.75, 0.3, 0.2, 0.05],
    confidences: [-0.5, -1, 0.2, -0.1, -2, 0.1, -0.75, -0.3],
  }),
  rejected: fullSide({
    logps: [-22, -30, -4, -12.5, -44, -17, -15, -29],
    tokens: [11, 20, 4, 5, 28, 9, 14, 16],
    referenceLogps: [-20, -31, -3.75, -12, -45.25, -9, -16.5, -29.5],
    divergences: [1, 0.5, 0.2, 0.3, 1.5, 4, 0.25, 0.8],
    featureErrors: [0.3, 0.1, 0.25, 0.05, 0, 0.6, 0.4, 0.15],
    confidences: [-0.25, -1.5, 0.1, -0.6, -1.25, -0.2, -1, -0.4],
  }),
  mismatchedRatios: Float64Array.of(1, -2, 0.5, 3, -0.25, 1.5, 0.75, -1),
  rewardGaps: Float64Array.of(0.5, 1.5, -0.25, 0.1, 2, 0.75, -1, 0.3),
  pairWeights: Float64Array.of(1, 0.5, 2, 0, 1.5, 0.25, 3, 0.75),
};

/** Sizes of a step that is these pairs. */
export function totalsOf(statistics: PairStatistics): StepTotals {
  return {
    pairs: statistics.pairs,
    chosenTokens: statistics.chosen.tokens.reduce((sum, tokens) => sum + tokens, 0),
  };
}

/** The same with other inputs of one side. */
export function withSide(
  statistics: PairStatistics,
  name: SideName,
  inputs: Partial<SideStatistics>,
): PairStatistics {
  return { ...statistics, [name]: { ...statistics[name], ...inputs } };
}

/** Some of the pairs, in the given order. */
export function pick(statistics: PairStatistics, pairs: readonly number[]): PairStatistics {
  const picked = <Owner extends object>(owner: Owner, names: readonly string[]): Owner => {
    const entries = Object.entries(owner).map(([name, values]: [string, unknown]) =>
      names.includes(name)
        ? [name, Float64Array.from(pairs, (pair) => (values as Float64Array)[pair]!)]
        : [name, values],
    );
    return Object.fromEntries(entries) as Owner;
  };
  return {
    ...picked(statistics, pairInputs),
    pairs: pairs.length,
    chosen: picked(statistics.chosen, sideInputs),
    rejected: picked(statistics.rejected, sideInputs),
  };
}

const inputsOfNeed: Readonly<Record<ObjectiveNeed, readonly string[]>> = {
  referenceLogps: ["referenceLogps"],
  tokenKl: ["divergences"],
  features: ["featureErrors"],
  mismatchedAnswers: ["mismatchedRatios"],
  rewardGap: ["rewardGaps"],
  policyConfidence: ["confidences"],
  pairWeight: ["pairWeights"],
};

/** Every need there is. */
export const everyNeed = Object.keys(inputsOfNeed) as ObjectiveNeed[];

/** The pairs without the inputs of some needs. */
export function without(statistics: PairStatistics, needs: readonly ObjectiveNeed[]): PairStatistics {
  const removed = needs.flatMap((need) => inputsOfNeed[need]);
  const kept = <Owner extends object>(owner: Owner): Owner =>
    Object.fromEntries(Object.entries(owner).filter(([name]) => !removed.includes(name))) as Owner;
  return { ...kept(statistics), chosen: kept(statistics.chosen), rejected: kept(statistics.rejected) };
}

/** Four pairs as far out as sums in 32 bits may come, and one another's opposites. */
export const extremePairs: PairStatistics = {
  pairs: 4,
  chosen: fullSide({
    logps: [-1e6, 0, -1e-12, -5e4],
    tokens: [1, 4096, 1, 1],
    referenceLogps: [0, -1e6, -1e-12, -5e4],
    divergences: [1e6, 0, 0, 1e-12],
    featureErrors: [0, 1e6, 0, 1e-12],
    confidences: [-1e6, 12, 0, -1e-12],
  }),
  rejected: fullSide({
    logps: [0, -1e6, -1e-12, -1e5],
    tokens: [4096, 1, 1, 1],
    referenceLogps: [-1e6, 0, -1e-12, 0],
    divergences: [0, 1e6, 0, 1e-12],
    featureErrors: [1e6, 0, 0, 1e-12],
    confidences: [0, 12, -1e6, 0],
  }),
  mismatchedRatios: Float64Array.of(1e6, -1e6, 0, 1e6),
  rewardGaps: Float64Array.of(1e6, -1e6, 0, 1e-12),
  pairWeights: Float64Array.of(0, 1e6, 1, 1e-12),
};
