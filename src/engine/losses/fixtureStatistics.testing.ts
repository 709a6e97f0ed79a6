/** What the objectives read, from the fixtures' logits by its definition in float64; for tests. */
import type { Fixture, FixtureSide } from "./fixtureFile.testing.ts";
import type { PairStatistics, SideStatistics, StepTotals } from "./objective.ts";
import type { FeatureDrift } from "./fixtureFeatures.testing.ts";

/** A position that scores a token, with the distributions of policy and reference there. */
export interface ScoredRow {
  readonly pair: number;
  /** Place of the row among [pairs, time]. */
  readonly at: number;
  readonly label: number;
  /** Log-probs over the vocabulary. */
  readonly policy: readonly number[];
  readonly reference: readonly number[];
}

function logSoftmax(logits: readonly number[]): number[] {
  const maximum = Math.max(...logits);
  const total = maximum + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0));
  return logits.map((logit) => logit - total);
}

/** Rows of a side that score a token: the label at t + 1 belongs to the row at t. */
export function scoredRows(
  { labels, policyLogits, referenceLogits }: FixtureSide,
  { time, vocab }: Fixture["shape"],
): ScoredRow[] {
  return labels.flatMap((label, place) => {
    if (label < 0 || place % time === 0) return [];
    const at = place - 1;
    const row = (logits: readonly number[]) => logSoftmax(logits.slice(at * vocab, (at + 1) * vocab));
    const pair = Math.floor(place / time);
    return [{ pair, at, label, policy: row(policyLogits), reference: row(referenceLogits) }];
  });
}

/** Sums a number per row by pair. */
export function sumByPair(
  rows: readonly ScoredRow[],
  pairs: number,
  value: (row: ScoredRow) => number,
): Float64Array {
  const sums = new Float64Array(pairs);
  for (const row of rows) sums[row.pair] = sums[row.pair]! + value(row);
  return sums;
}

/** Sums of one side, as objectives read them. */
export type FullSide = Required<Omit<SideStatistics, "featureErrors" | "confidences">>;

/** Log-probs, lengths and sequential KL of one side. */
export function sideStatistics(rows: readonly ScoredRow[], pairs: number): FullSide {
  return {
    logps: sumByPair(rows, pairs, ({ policy, label }) => policy[label]!),
    tokens: sumByPair(rows, pairs, () => 1),
    referenceLogps: sumByPair(rows, pairs, ({ reference, label }) => reference[label]!),
    divergences: sumByPair(rows, pairs, ({ policy, reference }) =>
      reference.reduce((sum, logq, v) => sum + Math.exp(logq) * (logq - policy[v]!), 0),
    ),
  };
}

/** Mean next-token entropy over the scored tokens, in nats. */
export function meanEntropy(rows: readonly ScoredRow[]): number {
  const entropies = rows.map(({ policy }) => policy.reduce((sum, logp) => sum - Math.exp(logp) * logp, 0));
  return entropies.reduce((sum, entropy) => sum + entropy, 0) / rows.length;
}

/** Gradient of the logits [pairs, time, vocab]: a (e_y - p) + c (p - q) at scored rows, 0 elsewhere. */
export function logitGradients(
  rows: readonly ScoredRow[],
  { pairs, time, vocab }: Fixture["shape"],
  scalars: { readonly logps: Float64Array; readonly divergences?: Float64Array | undefined },
): Float64Array {
  const result = new Float64Array(pairs * time * vocab);
  for (const { pair, at, label, policy, reference } of rows) {
    const a = scalars.logps[pair]!;
    const c = scalars.divergences?.[pair] ?? 0;
    policy.forEach((logp, v) => {
      const p = Math.exp(logp);
      result[at * vocab + v] = a * ((v === label ? 1 : 0) - p) + c * (p - Math.exp(reference[v]!));
    });
  }
  return result;
}

/** What is measured of both sides. */
export interface Measured {
  readonly chosen: FullSide;
  readonly rejected: FullSide;
}

/** Everything an objective reads for a key of a file. */
export function pairStatistics(
  key: string,
  fixture: Fixture,
  { chosen, rejected, drift }: Measured & { readonly drift: FeatureDrift },
): PairStatistics {
  const { klPairs, expected, shape } = fixture;
  const gaps = expected[key]!.params["rewardGap"] as readonly number[] | undefined;
  return {
    pairs: shape.pairs,
    chosen: { ...chosen, featureErrors: drift.chosen.errors },
    rejected: { ...rejected, featureErrors: drift.rejected.errors },
    mismatchedRatios: Float64Array.from(klPairs.policy, (logp, pair) => logp - klPairs.reference[pair]!),
    ...(gaps === undefined ? {} : { rewardGaps: Float64Array.from(gaps) }),
  };
}

/** Sizes of a step that is the whole file. */
export function totalsOf({ chosen }: Measured): StepTotals {
  return {
    pairs: chosen.tokens.length,
    chosenTokens: chosen.tokens.reduce((sum, tokens) => sum + tokens, 0),
  };
}
