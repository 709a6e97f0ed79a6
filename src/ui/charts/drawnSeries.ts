/** Lines as they are drawn: raw, smoothed and held-out strokes with their colour and dash. */
import type { SeriesPoint } from "../../state/series.ts";
import type { ChartColor, ChartDash, ChartInterval, ChartSeries } from "./chartTypes.ts";
import { smooth, thin } from "./smoothing.ts";

/** Most points of a drawn line. */
const mostPoints = 300;

/** Colour of each role as a token of both schemes. */
export const colorTokens: Record<ChartColor, string> = {
  chosen: "var(--chosen)",
  rejected: "var(--rejected)",
  margin: "var(--margin)",
  reference: "var(--reference)",
  eval: "var(--muted)",
  ink: "var(--ink)",
};

/** Stroke pattern of each dash. */
export const dashPatterns: Record<ChartDash, string | undefined> = {
  solid: undefined,
  dashed: "6 4",
  dotted: "1.5 4",
};

/** A series with everything that is drawn of it. */
export interface DrawnLine {
  readonly name: string;
  readonly label: string;
  readonly stroke: string;
  readonly pattern: string | undefined;
  readonly strokeWidth: number;
  readonly fillFrom: number | undefined;
  /** Every measured value and its smoothed companion, place by place. */
  readonly complete: readonly SeriesPoint[];
  readonly smoothed: readonly SeriesPoint[];
  /** At most 300 points each. */
  readonly rawPoints: readonly SeriesPoint[];
  readonly smoothPoints: readonly SeriesPoint[];
  readonly evalPoints: readonly SeriesPoint[];
  readonly intervals: readonly ChartInterval[];
}

/** Makes a series ready to be drawn; `smoothing` is the weight of the past in [0, 1). */
export function drawnLine(series: ChartSeries, smoothing: number): DrawnLine {
  const complete = series.complete ?? series.points;
  const smoothed = smooth(complete, smoothing);
  return {
    name: series.name,
    label: series.label,
    stroke: colorTokens[series.color],
    pattern: dashPatterns[series.dash ?? (series.color === "reference" ? "dotted" : "solid")],
    strokeWidth: series.color === "margin" ? 2.6 : 2,
    fillFrom: series.fillFrom,
    complete,
    smoothed,
    rawPoints: thin(series.points, mostPoints),
    smoothPoints: thin(smoothed, mostPoints),
    evalPoints: series.evalPoints ?? [],
    intervals: series.intervals ?? [],
  };
}

/** The value that stands at the end of a line: its newest smoothed one, or its newest held-out one. */
export function endPoint({ smoothed, evalPoints }: DrawnLine): SeriesPoint | null {
  const isFinitePoint = ({ y }: SeriesPoint) => Number.isFinite(y);
  return (smoothed.length > 0 ? smoothed : evalPoints).findLast(isFinitePoint) ?? null;
}
