/** Sign-flip permutation tests of many means at once: exact for few differences, by seeded random signs for more. */
import { createRandom } from "../data/random.ts";

/** Differences of one quantity between two conditions, one per observation; those left out are 0. */
export interface Differences {
  /** Observation of each difference, ascending. */
  readonly observations: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** How signs are drawn. */
export interface FlipOptions {
  /** Observations whose signs flip together for all quantities. */
  readonly observations: number;
  /** Random sign patterns of a quantity; all patterns of its own differences instead where there are no more. */
  readonly permutations: number;
  readonly seed: number;
}

/** Observations of a group: the sums of a group under all of its sign patterns are tabled. */
const GROUP = 8;
const PATTERNS = 2 ** GROUP;
/** A quantity that chance reached less often than this is looked at again, with more patterns. */
const FEW = 10;
/** Patterns of the second look, as a multiple of those of the first. */
const SECOND_LOOK = 10;
/** Sums of the same numbers in another order differ by rounding: this share of the sum of magnitudes is no difference. */
const ROUNDING = 1e-12;

/** Sign patterns: bit o % 8 of `groups[o / 8][n]` says whether pattern n flips observation o. */
interface Signs {
  readonly count: number;
  readonly groups: readonly Uint8Array[];
  /** [count] Room for the sums of one quantity, which each overwrites. */
  readonly sums: Float64Array;
}

/**
 * Two-sided p of each quantity's mean: the probability of at least so large a |Σ ± d| if every observation's sign were
 * chance. Exact where a quantity has so few differences d that all their signs can be tried; else (1 + times reached) /
 * (1 + patterns) over random ones. Quantities that fewer than ten of these reached are tested again with ten times as
 * many, so that small p are told apart; p ≤ α stays as rare as α, because above 10 / (1 + patterns) it implies the same of
 * the first look alone, and below that the same of the second alone. Sources: Fisher 1935 for the test; Phipson and Smyth
 * 2010 for the added 1. Also gives the patterns of the quantity that was compared with most.
 */
export function signFlipTest(
  quantities: readonly Differences[],
  { observations, permutations, seed }: FlipOptions,
): { readonly pValues: Float64Array; readonly permutations: number } {
  const isExact = ({ values }: Differences) => 2 ** values.length <= permutations;
  const pValues = new Float64Array(quantities.length);
  let most = 0;
  const look = (places: readonly number[], signs: Signs): number[] =>
    places.filter((place) => {
      const reached = timesReached(quantities[place]!, signs);
      pValues[place] = (1 + reached) / (1 + signs.count);
      most = signs.count;
      return reached < FEW;
    });
  const sampled: number[] = [];
  quantities.forEach((quantity, place) => {
    if (!isExact(quantity)) return void sampled.push(place);
    pValues[place] = exactShare(quantity.values);
    most = Math.max(most, 2 ** quantity.values.length);
  });
  if (sampled.length === 0) return { pValues, permutations: most };
  const rare = look(sampled, randomSigns(observations, permutations, seed));
  if (rare.length > 0) look(rare, randomSigns(observations, SECOND_LOOK * permutations, seed));
  return { pValues, permutations: most };
}

/** The least |Σ ± d| that counts as one as large as the observed. */
function barOf(values: ArrayLike<number>): number {
  let [observed, magnitude] = [0, 0];
  for (let place = 0; place < values.length; place++) {
    observed += values[place]!;
    magnitude += Math.abs(values[place]!);
  }
  return Math.abs(observed) - ROUNDING * magnitude;
}

/** Share of all sign patterns whose sum is as large as the observed one. */
function exactShare(values: ArrayLike<number>): number {
  const count = 2 ** values.length;
  const sums = new Float64Array(count);
  fillPatternSums(sums, values);
  const bar = barOf(values);
  return countFrom(sums, bar) / count;
}

/** Puts the sums of values under all of their sign patterns into the first 2^values places of `sums`. */
function fillPatternSums(sums: Float64Array, values: ArrayLike<number>): void {
  sums[0] = 0;
  for (let bit = 0; bit < values.length; bit++) sums[0] -= values[bit]!;
  for (let bit = 0; bit < values.length; bit++) {
    const [size, twice] = [2 ** bit, 2 * values[bit]!];
    for (let pattern = 0; pattern < size; pattern++) sums[size + pattern] = sums[pattern]! + twice;
  }
}

/** The first patterns of a longer list are those of a shorter one. */
function randomSigns(observations: number, count: number, seed: number): Signs {
  const groups = Array.from({ length: Math.ceil(observations / GROUP) }, (_, group) => {
    const random = createRandom(seed, group);
    return Uint8Array.from({ length: count }, () => random.integer(PATTERNS));
  });
  return { count, groups, sums: new Float64Array(count) };
}

/** How many patterns give a sum as large as the observed one. */
function timesReached({ observations, values }: Differences, { count, groups, sums }: Signs): number {
  const bar = barOf(values);
  sums.fill(0);
  const own = new Float64Array(GROUP);
  const table = new Float64Array(PATTERNS);
  for (let place = 0; place < values.length;) {
    const group = Math.floor(observations[place]! / GROUP);
    own.fill(0);
    for (; place < values.length && Math.floor(observations[place]! / GROUP) === group; place++)
      own[observations[place]! % GROUP] = values[place]!;
    fillPatternSums(table, own);
    const patterns = groups[group]!;
    for (let pattern = 0; pattern < count; pattern++) sums[pattern]! += table[patterns[pattern]!]!;
  }
  return countFrom(sums, bar);
}

/** How many of the sums are as large as the bar. */
function countFrom(sums: Float64Array, bar: number): number {
  let reached = 0;
  for (let pattern = 0; pattern < sums.length; pattern++) if (Math.abs(sums[pattern]!) >= bar) reached++;
  return reached;
}

/**
 * Which of many p-values are findings at a false discovery rate: the k smallest, for the largest k whose p is at most
 * k / tests times the rate. Source: Benjamini and Hochberg 1995.
 */
export function falseDiscoveryFindings(pValues: ArrayLike<number>, rate: number): boolean[] {
  const sorted = Float64Array.from(pValues).sort();
  let bar = -1;
  sorted.forEach((p, rank) => {
    if (p <= ((rank + 1) / sorted.length) * rate) bar = p;
  });
  return Array.from(pValues, (p) => p <= bar);
}
