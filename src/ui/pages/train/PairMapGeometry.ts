/** The mathematics of the Pair Map: which part of the plane is shown, and what is counted in it. */
import type { ProbePoints } from "../../../worker/protocol.ts";

/** A held-out pair on the map; both differences are in nats. */
export interface PairPoint {
  readonly pairIndex: number;
  readonly chosenDelta: number;
  readonly rejectedDelta: number;
  /** Above 0 the chosen answer gained on the rejected one. */
  readonly margin: number;
}

/** The pairs whose two differences are numbers, from the lowest margin to the highest. */
export function pairsByMargin({ pairIndex, chosenDelta, rejectedDelta }: ProbePoints): PairPoint[] {
  const pairs: PairPoint[] = [];
  for (const [place, index] of pairIndex.entries()) {
    const chosen = chosenDelta[place] ?? Number.NaN;
    const rejected = rejectedDelta[place] ?? Number.NaN;
    const margin = chosen - rejected;
    if (!Number.isFinite(margin)) continue;
    pairs.push({ pairIndex: index, chosenDelta: chosen, rejectedDelta: rejected, margin });
  }
  return pairs.sort((a, b) => a.margin - b.margin || a.pairIndex - b.pairIndex);
}

const rangeSteps = [1, 1.5, 2, 3, 4, 6, 8] as const;

/**
 * Half the side of the shown square: the next of 1, 1.5, 2, 3, 4, 6, 8, 10, 15 … above the farthest pair. It stays as it
 * was while the pairs fill at least a third of it, so that the map does not jitter.
 */
export function rangeFor(farthest: number, previous: number): number {
  const wanted = farthest * 1.08;
  if (wanted <= previous && wanted > previous / 3) return previous;
  if (!(wanted > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = rangeSteps.find((step) => step * power >= wanted) ?? 10;
  return Math.min(factor * power, Number.MAX_VALUE);
}

/** The largest distance of a pair from the origin along one of the axes. */
export function farthestOf(pairs: readonly PairPoint[]): number {
  return pairs.reduce(
    (most, { chosenDelta, rejectedDelta }) => Math.max(most, Math.abs(chosenDelta), Math.abs(rejectedDelta)),
    0,
  );
}

/** Margins whose lines are drawn: multiples of a round number, about five on the whole map, without 0. */
export function isoMargins(range: number): number[] {
  const power = 10 ** Math.floor(Math.log10(range / 2));
  const step = ([1, 2, 5].find((factor) => factor * power >= (range / 2) * 0.999) ?? 10) * power;
  const count = Math.ceil((2 * range) / step) - 1;
  const positive = Array.from({ length: count }, (_, index) => (index + 1) * step);
  return [...positive.toReversed().map((margin) => -margin), ...positive];
}

/** How many values fall into each of `bins` equal parts of [−range, range]; the ends take what lies beyond. */
export function histogram(values: readonly number[], range: number, bins: number): number[] {
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    const bin = Math.floor(((value + range) / (2 * range)) * bins);
    const kept = Math.min(Math.max(bin, 0), bins - 1);
    counts[kept] = (counts[kept] ?? 0) + 1;
  }
  return counts;
}

/** The corners of the map by where the log-probs went. */
export type Corner = "bothUp" | "chosenUp" | "bothDown" | "rejectedUp";

/** Nats that a 32-bit log-prob of an answer may move by when nothing but the order of its sums has changed. */
export const leastMove = 1e-4;

/** How many pairs are in each corner; pairs on an axis belong to none. */
export function cornerCounts(pairs: readonly PairPoint[]): Record<Corner, number> {
  const counts = { bothUp: 0, chosenUp: 0, bothDown: 0, rejectedUp: 0 };
  for (const { chosenDelta, rejectedDelta } of pairs) {
    if (Math.min(Math.abs(chosenDelta), Math.abs(rejectedDelta)) < leastMove) continue;
    if (chosenDelta > 0 && rejectedDelta > 0) counts.bothUp += 1;
    else if (chosenDelta > 0) counts.chosenUp += 1;
    else if (rejectedDelta < 0) counts.bothDown += 1;
    else counts.rejectedUp += 1;
  }
  return counts;
}

/** Means over the pairs, and how many have a margin above and below 0 by more than rounding. */
export interface PairMeans {
  readonly chosenDelta: number;
  readonly rejectedDelta: number;
  readonly wins: number;
  readonly losses: number;
}

/** The mean pair; zeros when there are none. */
export function meansOf(pairs: readonly PairPoint[]): PairMeans {
  const count = Math.max(pairs.length, 1);
  const sum = (read: (pair: PairPoint) => number) => pairs.reduce((total, pair) => total + read(pair), 0);
  return {
    chosenDelta: sum((pair) => pair.chosenDelta) / count,
    rejectedDelta: sum((pair) => pair.rejectedDelta) / count,
    wins: pairs.filter(({ margin }) => margin >= leastMove).length,
    losses: pairs.filter(({ margin }) => margin <= -leastMove).length,
  };
}

/** Pixels of a place on a square map of `side` pixels. */
export function mapPixel(chosenDelta: number, rejectedDelta: number, range: number, side: number) {
  return {
    x: ((chosenDelta + range) / (2 * range)) * side,
    y: ((range - rejectedDelta) / (2 * range)) * side,
  };
}

/** The pair nearest to a pixel and within `reach` pixels of it; null when there is none. */
export function pairAt(
  pairs: readonly PairPoint[],
  pixel: { readonly x: number; readonly y: number },
  { range, side, reach }: { readonly range: number; readonly side: number; readonly reach: number },
): PairPoint | null {
  let nearest: PairPoint | null = null;
  let least = reach;
  for (const pair of pairs) {
    const place = mapPixel(pair.chosenDelta, pair.rejectedDelta, range, side);
    const distance = Math.hypot(place.x - pixel.x, place.y - pixel.y);
    if (distance > least) continue;
    nearest = pair;
    least = distance;
  }
  return nearest;
}
