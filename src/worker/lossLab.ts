/** The loss of one typical pair over the two numbers that training moves: the log-ratios of its answers. */
import type { TokenPair } from "../engine/data/tokenPair.ts";
import type { Objective, ObjectiveNeed, PairStatistics, SideStatistics } from "../engine/losses/objective.ts";
import type { ReferenceCache } from "../engine/reference/referenceCache.ts";

/** Scored tokens of an answer where no pairs are loaded. */
const FALLBACK_TOKENS = 20;
/** Nats a token where the reference log-probs are not known yet. */
const FALLBACK_LOGP_PER_TOKEN = -1;
/** An objective that compares the pairs of a batch needs two; the same pair twice is a batch of typical pairs. */
const COPIES = 2;

/** Inputs that the two log-ratios do not reach, in the order in which they are told. */
const heldNeeds: readonly ObjectiveNeed[] = [
  "tokenKl",
  "features",
  "mismatchedAnswers",
  "rewardGap",
  "policyConfidence",
  "pairWeight",
];

/** The places at which a loss surface is computed: as many in each direction, both ends included. */
export interface LossAxis {
  /** Differences to the reference, in nats per answer. */
  readonly minimum: number;
  readonly maximum: number;
  readonly cells: number;
}

/** The pair whose loss a surface shows. */
export interface TypicalPair {
  readonly chosenTokens: number;
  readonly rejectedTokens: number;
  /** Summed log-probs under the reference, in nats. */
  readonly chosenReference: number;
  readonly rejectedReference: number;
  /** Whether the log-probs are the median of loaded pairs rather than an assumption. */
  readonly isMeasured: boolean;
}

/** The loss of one pair over both differences; NaN where there is no number. */
export interface LossSurface {
  /** [cells, cells]: rows by the difference of the rejected answer, columns by that of the chosen one, both rising. */
  readonly losses: Float32Array;
  /** Slopes of the loss in each direction, per nat. */
  readonly chosenSlope: Float32Array;
  readonly rejectedSlope: Float32Array;
  readonly pair: TypicalPair;
  /** Inputs of the objective that stay as they are all over the surface. */
  readonly held: readonly ObjectiveNeed[];
}

/** Loaded pairs, and what is known of their log-probs under the reference. */
export interface KnownPairs {
  readonly heldout: readonly TokenPair[];
  readonly reference: Pick<ReferenceCache, "get">;
}

/**
 * Loss and slopes on a square grid of [cells, cells] places, row by row from the lowest difference of the rejected
 * answer, each row from the lowest of the chosen one. A place is NaN where a log-prob would be above 0, or where the
 * objective has no number.
 */
export function lossSurface(
  objective: Objective,
  parameters: Readonly<Record<string, number>>,
  { axis, pairs }: { readonly axis: LossAxis; readonly pairs: KnownPairs | null },
): LossSurface {
  const pair = typicalPair(pairs);
  const { minimum, maximum, cells } = axis;
  const size = cells * cells;
  const losses = new Float32Array(size).fill(Number.NaN);
  const chosenSlope = new Float32Array(size).fill(Number.NaN);
  const rejectedSlope = new Float32Array(size).fill(Number.NaN);
  const valueAt = (cell: number) => minimum + ((maximum - minimum) * cell) / Math.max(cells - 1, 1);
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const found = lossAt(objective, parameters, pair, { x: valueAt(column), y: valueAt(row) });
      if (found === null) continue;
      const place = row * cells + column;
      losses[place] = found.loss;
      chosenSlope[place] = found.chosenSlope;
      rejectedSlope[place] = found.rejectedSlope;
    }
  }
  const held = heldNeeds.filter((need) => objective.needs.includes(need));
  return { losses, chosenSlope, rejectedSlope, pair, held };
}

/** Medians over the held-out pairs; each number that nothing is known of is its fallback. */
function typicalPair(pairs: KnownPairs | null): TypicalPair {
  const heldout = pairs?.heldout ?? [];
  const known = heldout.map((pair) => pairs?.reference.get(pair)).filter((logps) => logps !== undefined);
  const chosenTokens = median(heldout.map(({ chosen }) => chosen.length)) ?? FALLBACK_TOKENS;
  const rejectedTokens = median(heldout.map(({ rejected }) => rejected.length)) ?? FALLBACK_TOKENS;
  return {
    chosenTokens,
    rejectedTokens,
    chosenReference:
      median(known.map(({ chosen }) => chosen.sumLogps)) ?? FALLBACK_LOGP_PER_TOKEN * chosenTokens,
    rejectedReference:
      median(known.map(({ rejected }) => rejected.sumLogps)) ?? FALLBACK_LOGP_PER_TOKEN * rejectedTokens,
    isMeasured: known.length > 0,
  };
}

/** Loss and slopes of the pair at a place in nats; null where there is none. */
function lossAt(
  objective: Objective,
  parameters: Readonly<Record<string, number>>,
  pair: TypicalPair,
  place: { readonly x: number; readonly y: number },
): { readonly loss: number; readonly chosenSlope: number; readonly rejectedSlope: number } | null {
  const chosenLogp = pair.chosenReference + place.x;
  const rejectedLogp = pair.rejectedReference + place.y;
  if (chosenLogp > 0 || rejectedLogp > 0) return null;
  const copies = (value: number) => new Float64Array(COPIES).fill(value);
  const sideOf = (logp: number, referenceLogp: number, tokens: number): SideStatistics => ({
    logps: copies(logp),
    tokens: copies(tokens),
    referenceLogps: copies(referenceLogp),
    divergences: copies(0),
    featureErrors: copies(0),
    confidences: copies(0),
  });
  const statistics: PairStatistics = {
    pairs: COPIES,
    chosen: sideOf(chosenLogp, pair.chosenReference, pair.chosenTokens),
    rejected: sideOf(rejectedLogp, pair.rejectedReference, pair.rejectedTokens),
    mismatchedRatios: copies(0),
    rewardGaps: copies(1),
    pairWeights: copies(1),
  };
  const totals = { pairs: COPIES, chosenTokens: COPIES * pair.chosenTokens };
  const result = objective.compute(statistics, parameters, totals);
  // Gradients belong to the mean over the copies, so that together they are the slope of the one pair's loss.
  const found = {
    loss: sumOf(result.losses) / COPIES,
    chosenSlope: sumOf(result.chosenGradient),
    rejectedSlope: sumOf(result.rejectedGradient),
  };
  return Object.values(found).every(Number.isFinite) ? found : null;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted.length % 2 === 0 ? sorted[middle - 1] : upper;
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}
