/** Remarks that a chart makes about its own lines. */
import type { SeriesPoint } from "../../state/series.ts";
import { formatValue } from "../format.ts";
import { smooth } from "./smoothing.ts";
import type { ChartSeries } from "./chartTypes.ts";

const weight = 0.8;
/** Fewer values than this say nothing about a direction. */
const fewestValues = 5;
/** Smaller changes, in nats per answer, are noise. */
const smallestFall = 0.1;

function change(points: readonly SeriesPoint[]): number | null {
  const finite = points.filter((point) => Number.isFinite(point.y));
  if (finite.length < fewestValues) return null;
  const smoothed = smooth(finite, weight);
  const first = smoothed[Math.floor(fewestValues / 2)];
  const last = smoothed.at(-1);
  return first === undefined || last === undefined ? null : last.y - first.y;
}

/**
 * How far a series has moved since the start: by its held-out values when there are two, because those
 * compare the same pairs, otherwise by its smoothed values per step.
 */
export function changeSinceStart(series: ChartSeries): number | null {
  const evaluations = (series.evalPoints ?? []).filter((point) => Number.isFinite(point.y));
  const [first] = evaluations;
  const last = evaluations.at(-1);
  if (first !== undefined && last !== undefined && last.x > first.x) return last.y - first.y;
  return change(series.complete ?? series.points);
}

/** Says so when the chosen answers lose log-prob although they win against the rejected ones. */
export function displacementCallout(series: readonly ChartSeries[]): string | null {
  const [chosenSeries, rejectedSeries] = ["chosen", "rejected"].map((side) =>
    series.find(({ name }) => name.endsWith(`/${side}`)),
  );
  if (chosenSeries === undefined || rejectedSeries === undefined) return null;
  const chosen = changeSinceStart(chosenSeries);
  const rejected = changeSinceStart(rejectedSeries);
  if (chosen === null || rejected === null) return null;
  if (chosen > -smallestFall || chosen <= rejected) return null;
  return `Chosen fell by ${formatValue(-chosen)} while the margin rose by ${formatValue(chosen - rejected)}.`;
}
