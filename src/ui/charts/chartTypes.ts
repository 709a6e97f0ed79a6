/** What charts are made of. A chart receives ready series and never reads a store. */
import type { ReactNode } from "react";
import type { SeriesPoint } from "../../state/series.ts";

/** Roles of a line; each role has one colour in both schemes. */
export type ChartColor = "chosen" | "rejected" | "margin" | "reference" | "eval" | "ink";

/** How a line is stroked, so that lines differ without colour. */
export type ChartDash = "solid" | "dashed" | "dotted";

/** How values become heights. */
export type ChartScale = "linear" | "symlog" | "log";

/** Something to draw at a step on every chart, such as a restored checkpoint. */
export interface ChartMark {
  readonly x: number;
  readonly label: string;
}

/** A dotted horizontal line with its meaning. */
export interface ChartGuide {
  readonly y: number;
  readonly label: string;
  /** On which side of the line its label stands. */
  readonly side?: "above" | "below";
}

/** How uncertain the value at a place is. */
export interface ChartInterval {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

/** One line of a chart. */
export interface ChartSeries {
  /** The metric's name as TRL writes it. */
  readonly name: string;
  /** Plain word at the end of the line. */
  readonly label: string;
  readonly color: ChartColor;
  readonly dash?: ChartDash;
  /** What is drawn raw, at most 300 points; a `y` that is not finite is a gap with a cross. */
  readonly points: readonly SeriesPoint[];
  /** Every measured value: the smoothed line, the table and the file are made from it. Default: `points`. */
  readonly complete?: readonly SeriesPoint[];
  /** Held-out values, drawn as dots in the same hue and never smoothed. */
  readonly evalPoints?: readonly SeriesPoint[];
  /** Intervals of those values, drawn as whiskers. */
  readonly intervals?: readonly ChartInterval[];
  /** Shades the area between the line and this value. */
  readonly fillFrom?: number;
}

/** A choice of what a chart shows, such as sums or means per token. */
export interface ChartViews {
  readonly options: readonly { readonly id: string; readonly label: string }[];
  readonly selected: string;
  readonly onSelect: (id: string) => void;
}

/** Everything a line chart needs. */
export interface MetricChartProps {
  /** Plain words; the metric's names stand below them. */
  readonly title: string;
  readonly subtitle: string;
  readonly series: readonly ChartSeries[];
  readonly xLabel: string;
  /** Scale and smoothing of the page; the chart's own menu can override them. */
  readonly scale: "linear" | "symlog";
  readonly smoothing: number;
  readonly fixedRange?: readonly [number, number];
  /** The crosshair shared by all charts, in units of x; null when nothing is pointed at. */
  readonly hoveredX: number | null;
  readonly onHoverX: (x: number | null) => void;
  /** One sentence for screen readers; by default it is made from the series. */
  readonly summary?: string;
  /** A remark worth a look, shown under the heading; null keeps its place free. */
  readonly callout?: ReactNode;
  readonly marks?: readonly ChartMark[];
  readonly guides?: readonly ChartGuide[];
  readonly views?: ChartViews;
  /** The visible part of x, when charts zoom together; otherwise each keeps its own. */
  readonly zoom?: readonly [number, number] | null;
  readonly onZoom?: (zoom: readonly [number, number] | null) => void;
  /** What stands in the plot before there is anything to draw. */
  readonly emptyText?: string;
  /** The part of x that is shown at least; by default ten places from the first on. */
  readonly leastPlaces?: readonly [number, number];
  /** Height of the plot in pixels. */
  readonly height?: number;
}

/** A line as a chart's description lists it. */
export interface SeriesSpec {
  /** The metric's name without the prefix `eval_`. */
  readonly name: string;
  readonly label: string;
  readonly color: ChartColor;
  readonly dash?: ChartDash;
  readonly fillFrom?: number;
}

/** One way of looking at a chart's metrics. */
export interface ChartView {
  readonly id: string;
  readonly label: string;
  readonly series: readonly SeriesSpec[];
}

/** A chart as `index.ts` lists it. */
export interface ChartSpec {
  readonly id: string;
  readonly title: string;
  /** The first is shown at first. */
  readonly views: readonly [ChartView, ...ChartView[]];
  readonly scale: "linear" | "symlog";
  readonly fixedRange?: readonly [number, number];
  readonly guides?: readonly ChartGuide[];
  /** Draws the first held-out value as a guide, when it was measured at step 0. */
  readonly hasStartGuides?: boolean;
  /** Some methods alone have it: it is offered once a run has measured it. */
  readonly isOfMethod?: boolean;
  /** Measured at evaluations only. */
  readonly isHeldOut?: boolean;
  /** A remark made from the lines as they are now; null when there is none. */
  readonly callout?: (series: readonly ChartSeries[]) => string | null;
}
