/** Sign-flip permutation tests of many means at once: exact for few observations, by seeded random signs for more. */
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
  /** Random sign patterns of a quantity; all patterns are taken instead where there are no more. */
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
}

/**
 * Two-sided p of each quantity's mean: the probability of at least so large a |Σ ± d| if every observation's sign were
 * chance, (1 + times reached) / (1 + patterns); with all 2^observations patterns the exact share. Quantities that fewer
 * than ten of the patterns reached are tested again with ten times as many, so that small p are told apart; p ≤ α stays
 * as rare as α, because above 10 / (1 + patterns) it implies the same of the first look alone, and below that the same of
 * the second alone. Sources: Fisher 1935 for
 * the test; Phipson and Smyth 2010 for the added 1.
 */
export function signFlipTest(
  quantities: readonly Differences[],
  { observations, permutations, seed }: FlipOptions,
): { readonly pValues: Float64Array; readonly permutations: number } {
  const isExact = 2 ** observations <= permutations;
  const first = isExact ? allSigns(observations) : randomSigns(observations, permutations, seed);
  const reached = Float64Array.from(quantities, (each) => timesReached(each, first));
  if (isExact) return { pValues: reached.map((count) => count / first.count), permutations: first.count };
  const rare = [...reached.keys()].filter((index) => reached[index]! < FEW);
  const pValues = reached.map((count) => (1 + count) / (1 + permutations));
  if (rare.length === 0) return { pValues, permutations };
  const second = randomSigns(observations, SECOND_LOOK * permutations, seed);
  for (const index of rare)
    pValues[index] = (1 + timesReached(quantities[index]!, second)) / (1 + second.count);
  return { pValues, permutations: second.count };
}

function allSigns(observations: number): Signs {
  const count = 2 ** observations;
  const groups = Array.from({ length: Math.ceil(observations / GROUP) }, (_, group) =>
    Uint8Array.from(
      { length: count },
      (_unused, pattern) => Math.floor(pattern / PATTERNS ** group) % PATTERNS,
    ),
  );
  return { count, groups };
}

/** The first patterns of a longer list are those of a shorter one. */
function randomSigns(observations: number, count: number, seed: number): Signs {
  const groups = Array.from({ length: Math.ceil(observations / GROUP) }, (_, group) => {
    const random = createRandom(seed, group);
    return Uint8Array.from({ length: count }, () => random.integer(PATTERNS));
  });
  return { count, groups };
}

/** How many patterns give a sum as large as the observed one. */
function timesReached({ observations, values }: Differences, { count, groups }: Signs): number {
  let [observed, magnitude] = [0, 0];
  for (let place = 0; place < values.length; place++) {
    observed += values[place]!;
    magnitude += Math.abs(values[place]!);
  }
  const bar = Math.abs(observed) - ROUNDING * magnitude;
  const sums = new Float64Array(count);
  const own = new Float64Array(GROUP);
  for (let place = 0; place < values.length;) {
    const group = Math.floor(observations[place]! / GROUP);
    own.fill(0);
    for (; place < values.length && Math.floor(observations[place]! / GROUP) === group; place++)
      own[observations[place]! % GROUP] = values[place]!;
    const table = patternSums(own);
    const patterns = groups[group]!;
    for (let pattern = 0; pattern < count; pattern++) sums[pattern]! += table[patterns[pattern]!]!;
  }
  let reached = 0;
  for (let pattern = 0; pattern < count; pattern++) if (Math.abs(sums[pattern]!) >= bar) reached++;
  return reached;
}

const table = new Float64Array(PATTERNS);

/** Sums of a group under all of its sign patterns; the same array every time. */
function patternSums(values: Float64Array): Float64Array {
  table[0] = -values.reduce((sum, value) => sum + value, 0);
  for (let bit = 0; bit < GROUP; bit++) {
    const [size, twice] = [2 ** bit, 2 * values[bit]!];
    for (let pattern = 0; pattern < size; pattern++) table[size + pattern] = table[pattern]! + twice;
  }
  return table;
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
