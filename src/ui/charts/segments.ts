/** Where a line must break: at values that are not finite, and where a run went back to an earlier step. */
import type { SeriesPoint } from "../../state/series.ts";

/** A point as it is handed to the line: null ends the stroke. */
export interface StrokePoint {
  readonly x: number;
  readonly y: number | null;
}

/** The points of a line with a null wherever the stroke must end; gaps are never bridged. */
export function strokePoints(points: readonly SeriesPoint[]): StrokePoint[] {
  const strokes: StrokePoint[] = [];
  let previous: SeriesPoint | null = null;
  for (const point of points) {
    if (previous !== null && point.x < previous.x) strokes.push({ x: point.x, y: null });
    strokes.push({ x: point.x, y: Number.isFinite(point.y) ? point.y : null });
    previous = point;
  }
  return strokes;
}

/** Places of values that are not finite, each once, for the crosses on the axis. */
export function invalidPlaces(lines: readonly (readonly SeriesPoint[])[]): number[] {
  const places = lines.flatMap((points) => points.filter(({ y }) => !Number.isFinite(y)).map(({ x }) => x));
  return [...new Set(places)].sort((left, right) => left - right);
}

/** The point nearest to a place; of two equally near ones, the later. Null for an empty line. */
export function nearestPoint(points: readonly SeriesPoint[], x: number): SeriesPoint | null {
  let nearest: SeriesPoint | null = null;
  for (const point of points) {
    if (nearest === null || Math.abs(point.x - x) <= Math.abs(nearest.x - x)) nearest = point;
  }
  return nearest;
}
