/** Smoothing that only looks back, so that what was drawn once stays where it was. */
import type { SeriesPoint } from "../../state/series.ts";

/**
 * Exponential moving average, de-biased so that the first values are not pulled towards 0. A value that is
 * not finite stays in the result as a gap and leaves the average as it was. `weight` is in [0, 1).
 */
export function smooth(points: readonly SeriesPoint[], weight: number): SeriesPoint[] {
  let sum = 0;
  let total = 0;
  return points.map(({ x, y }) => {
    if (!Number.isFinite(y)) return { x, y: Number.NaN };
    sum = weight * sum + y;
    total = weight * total + 1;
    return { x, y: sum / total };
  });
}

/**
 * At most `limit` points of a line: every 2^k-th one and the newest. Positions are counted from the first
 * point, so a longer line draws a subset of the same points. A gap anywhere between two of them is kept.
 */
export function thin(points: readonly SeriesPoint[], limit: number): SeriesPoint[] {
  let stride = 1;
  // Two points for each stretch: a gap and a value.
  while (stride > 1 ? points.length / stride > limit / 2 - 1 : points.length > limit) stride *= 2;
  if (stride === 1) return [...points];
  const kept: SeriesPoint[] = [];
  let gap: SeriesPoint | null = null;
  for (const [index, point] of points.entries()) {
    if (!Number.isFinite(point.y)) gap ??= point;
    if (index % stride !== 0 && index !== points.length - 1) continue;
    if (gap !== null) kept.push(gap);
    if (Number.isFinite(point.y)) kept.push(point);
    gap = null;
  }
  return kept;
}
