/** Where things are on a chart, in pixels of its box; shared by the lines and by what lies over them. */
import type { Range } from "./domains.ts";
import { formatTick, niceTicks, transform, valueTicks } from "./scales.ts";
import type { ChartScale } from "./chartTypes.ts";

/** Free space above and below the plot. */
export const plotMargins = { top: 10, bottom: 22 } as const;

/** Least distance between two ticks, in pixels. */
const tickDistance = { x: 56, y: 24 } as const;

/** The visible part of the plane and its place in the chart's box. */
export interface PlotGeometry {
  readonly width: number;
  readonly height: number;
  /** The plot itself, inside the axes and left of the labels. */
  readonly left: number;
  readonly top: number;
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly places: Range;
  /** Lowest and highest height on the straight axis of transformed values. */
  readonly heights: Range;
  readonly scale: ChartScale;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly yTexts: readonly string[];
}

/** What the geometry is made from. */
export interface PlotInput {
  readonly width: number;
  readonly height: number;
  /** Width kept free for the labels at the line ends. */
  readonly gutter: number;
  readonly places: Range;
  readonly values: Range;
  readonly scale: ChartScale;
}

/** Lays the plot out inside its box. */
export function plotGeometry({ width, height, gutter, places, values, scale }: PlotInput): PlotGeometry {
  const plotHeight = Math.max(20, height - plotMargins.top - plotMargins.bottom);
  const yTicks = valueTicks(values, scale, tickDistance.y / plotHeight);
  // Only evenly spaced ticks need the same number of decimals.
  const yTexts = yTicks.map((tick) => formatTick(tick, scale === "linear" ? yTicks : [tick]));
  const longestTick = Math.max(2, ...yTexts.map(({ length }) => length));
  const left = 12 + Math.ceil(longestTick * 7);
  const plotWidth = Math.max(20, width - left - gutter);
  return {
    width,
    height,
    left,
    top: plotMargins.top,
    plotWidth,
    plotHeight,
    places,
    heights: [transform(values[0], scale), transform(values[1], scale)],
    scale,
    xTicks: niceTicks(places[0], places[1], Math.max(2, plotWidth / tickDistance.x)),
    yTicks,
    yTexts,
  };
}

/** Pixel of a place on the horizontal axis. */
export function pixelX({ left, plotWidth, places: [first, last] }: PlotGeometry, x: number): number {
  return left + ((x - first) / (last - first)) * plotWidth;
}

/** Pixel of a value on the vertical axis; NaN when the scale cannot show it. */
export function pixelY(
  { top, plotHeight, heights: [lowest, highest], scale }: PlotGeometry,
  y: number,
): number {
  return top + plotHeight - ((transform(y, scale) - lowest) / (highest - lowest)) * plotHeight;
}

/** Place under a pixel, kept inside the plot. */
export function placeAt({ left, plotWidth, places: [first, last] }: PlotGeometry, pixel: number): number {
  const share = Math.min(1, Math.max(0, (pixel - left) / plotWidth));
  return first + share * (last - first);
}

/** The range of places inside another one, so that a zoom never leaves the data. */
export function clampRange([start, end]: Range, [first, last]: Range): Range {
  const span = Math.min(end - start, last - first);
  const from = Math.min(Math.max(start, first), last - span);
  return [from, from + span];
}
