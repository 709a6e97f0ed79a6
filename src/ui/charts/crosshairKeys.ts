/** What keys do to the crosshair and the zoom of a chart. */
import { formatValue } from "../format.ts";
import type { Range } from "./domains.ts";
import type { DrawnLine } from "./drawnSeries.ts";
import { clampRange, type PlotGeometry } from "./plotGeometry.ts";
import { nearestPoint } from "./segments.ts";

/** What the crosshair moves over. */
export interface CrosshairView {
  readonly lines: readonly DrawnLine[];
  readonly geometry: Pick<PlotGeometry, "places">;
  readonly hoveredX: number | null;
}

/** What a zoom changes. */
export interface Zoomable {
  /** All there is to see, which a zoom never leaves. */
  readonly everything: Range;
  readonly onZoom: (zoom: Range | null) => void;
}

/** The values at a place as a screen reader speaks them. */
export function valuesInWords(lines: readonly DrawnLine[], x: number, xLabel: string): string {
  const values = lines.flatMap(({ label, complete, evalPoints }) => {
    const point = nearestPoint(complete.length > 0 ? complete : evalPoints, x);
    return point === null ? [] : [`${label} ${formatValue(point.y)}`];
  });
  return `${xLabel} ${formatValue(x)}: ${values.join(", ")}`;
}

/** The nearest place at which one of the lines has a value. */
export function snap(lines: readonly DrawnLine[], place: number): number {
  const candidates = lines.flatMap(({ complete, evalPoints }) => [
    nearestPoint(complete, place),
    nearestPoint(evalPoints, place),
  ]);
  return (
    nearestPoint(
      candidates.filter((point) => point !== null),
      place,
    )?.x ?? place
  );
}

/** Where a key takes the crosshair; null clears it, undefined means that the key is not for it. */
export function nextPlace(
  key: string,
  isFast: boolean,
  { lines, geometry: { places }, hoveredX }: CrosshairView,
): number | null | undefined {
  if (key === "Escape") return null;
  const all = lines.flatMap(({ complete, evalPoints }) => [...complete, ...evalPoints].map(({ x }) => x));
  const stops = [...new Set(all)].filter((x) => x >= places[0] && x <= places[1]).sort((a, b) => a - b);
  const at = hoveredX === null ? stops.length : stops.indexOf(snap(lines, hoveredX));
  const jump = isFast ? 10 : 1;
  const targets: Record<string, number> = {
    ArrowLeft: at - jump,
    ArrowRight: at + jump,
    Home: 0,
    End: stops.length - 1,
  };
  const target = targets[key];
  if (target === undefined) return undefined;
  return stops[Math.min(Math.max(target, 0), stops.length - 1)] ?? null;
}

/** Zooms around the crosshair with + and −, resets with 0; false when the key is another one. */
export function zoomByKey(
  key: string,
  { geometry: { places }, everything, hoveredX, onZoom }: CrosshairView & Zoomable,
): boolean {
  if (key === "0") onZoom(null);
  else if (key === "+" || key === "=" || key === "-") {
    const middle = hoveredX ?? places[1];
    const half = ((places[1] - places[0]) / 2) * (key === "-" ? 2 : 0.5);
    const isWhole = 2 * half >= everything[1] - everything[0];
    onZoom(isWhole ? null : clampRange([middle - half, middle + half], everything));
  } else return false;
  return true;
}
