/** Where things are on a chart, in pixels of its box; shared by the lines and by what lies over them. */
import type { Range } from "./domains.ts";
import { transform } from "./scales.ts";
import type { ChartScale } from "./chartTypes.ts";

/** Free space around the plot. */
export const plotMargins = { top: 10, left: 46, bottom: 22 } as const;

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
  return {
    width,
    height,
    left: plotMargins.left,
    top: plotMargins.top,
    plotWidth: Math.max(20, width - plotMargins.left - gutter),
    plotHeight: Math.max(20, height - plotMargins.top - plotMargins.bottom),
    places,
    heights: [transform(values[0], scale), transform(values[1], scale)],
    scale,
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
