/** Which part of the plane a chart shows. */
import type { SeriesPoint } from "../../state/series.ts";
import type { ChartScale } from "./chartTypes.ts";
import { invert, transform } from "./scales.ts";

/** A lower and an upper end. */
export type Range = readonly [number, number];

/** Share of the height that stays free above and below. */
const padding = 0.08;

/**
 * The values a chart shows: all finite ones inside the visible part of x, with 8 % of the height free on both
 * sides. Null when there is nothing to show.
 */
export function fitValues(
  lines: readonly (readonly SeriesPoint[])[],
  visible: Range,
  scale: ChartScale,
): Range | null {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const points of lines) {
    for (const { x, y } of points) {
      if (x < visible[0] || x > visible[1]) continue;
      const height = transform(y, scale);
      if (!Number.isFinite(height)) continue;
      lowest = Math.min(lowest, height);
      highest = Math.max(highest, height);
    }
  }
  if (lowest > highest) return null;
  const span = highest - lowest;
  // A flat line gets a tenth of its size, so that noise is not blown up to the whole height.
  const pad = span > 0 ? span * padding : Math.abs(lowest) * 0.1 || 0.1;
  return [invert(lowest - pad, scale), invert(highest + pad, scale)];
}

/** From the first to the last place of all lines, at least `shortest` long; starts at 0 when it begins at 1. */
export function fitPlaces(lines: readonly (readonly SeriesPoint[])[], shortest: number): Range {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const points of lines) {
    for (const { x } of points) {
      first = Math.min(first, x);
      last = Math.max(last, x);
    }
  }
  if (first > last) return [0, shortest];
  const start = first <= 1 ? Math.min(0, first) : first;
  return [start, Math.max(last, start + shortest)];
}

/**
 * Moves labels apart so that neighbours are at least `gap` away from each other inside a range, in the order
 * of their wishes, with as little movement as a push down and a push up need.
 */
export function spreadLabels(wishes: readonly number[], gap: number, [lowest, highest]: Range): number[] {
  const order = wishes.map((_, index) => index).sort((a, b) => (wishes[a] ?? 0) - (wishes[b] ?? 0));
  const places = [...wishes];
  let floor = lowest;
  for (const index of order) {
    places[index] = Math.max(places[index] ?? lowest, floor);
    floor = (places[index] ?? lowest) + gap;
  }
  let ceiling = highest;
  for (const index of order.toReversed()) {
    places[index] = Math.min(places[index] ?? highest, ceiling);
    ceiling = (places[index] ?? highest) - gap;
  }
  return places;
}
