import { memo } from "react";
import { Area, CartesianGrid, ComposedChart, Line, XAxis, YAxis } from "recharts";
import type { SeriesPoint } from "../../state/series.ts";
import type { ChartScale } from "./chartTypes.ts";
import type { DrawnLine } from "./drawnSeries.ts";
import { plotMargins, type PlotGeometry } from "./plotGeometry.ts";
import { formatTick, transform } from "./scales.ts";
import { strokePoints, type StrokePoint } from "./segments.ts";

/** What the drawing is made of. */
export interface ChartPlotProps {
  readonly lines: readonly DrawnLine[];
  readonly geometry: PlotGeometry;
}

const tickStyle = { fontSize: 12, fill: "var(--muted)" } as const;

/** Axes, grid and lines. It is drawn again only when the data or the visible part changes. */
export const ChartPlot = memo(function ChartPlot({ lines, geometry }: ChartPlotProps) {
  const { width, height, left, plotWidth } = geometry;
  return (
    <div aria-hidden="true" className="chart-lines">
      <ComposedChart
        width={width}
        height={height}
        margin={{ top: plotMargins.top, right: width - left - plotWidth, bottom: 0, left: 0 }}
        accessibilityLayer={false}
        tabIndex={-1}
      >
        <CartesianGrid vertical={false} stroke="var(--line)" syncWithTicks />
        {axes(geometry)}
        {lines.map((line) => areaOf(line, geometry.scale))}
        {lines.flatMap((line) => strokesOf(line, geometry.scale))}
      </ComposedChart>
    </div>
  );
});

function axes({ left, places, heights, scale, xTicks, yTicks, yTexts }: PlotGeometry) {
  const yHeights = yTicks.map((value) => transform(value, scale));
  return [
    <XAxis
      key="x"
      dataKey="x"
      type="number"
      domain={[...places]}
      allowDataOverflow
      ticks={[...xTicks]}
      interval={0}
      tickFormatter={(tick: number) => formatTick(tick, xTicks)}
      height={plotMargins.bottom}
      tick={tickStyle}
      tickLine={false}
      axisLine={{ stroke: "var(--line)" }}
    />,
    <YAxis
      key="y"
      type="number"
      domain={[...heights]}
      allowDataOverflow
      ticks={yHeights}
      interval={0}
      tickFormatter={(_: number, index: number) => yTexts[index] ?? ""}
      width={left}
      tick={tickStyle}
      tickLine={false}
      axisLine={false}
    />,
  ];
}

function onScale(points: readonly SeriesPoint[], scale: ChartScale): StrokePoint[] {
  return strokePoints(points.map(({ x, y }) => ({ x, y: transform(y, scale) })));
}

function areaOf({ name, stroke, smoothPoints, fillFrom }: DrawnLine, scale: ChartScale) {
  if (fillFrom === undefined) return null;
  return (
    <Area
      key={`${name} area`}
      data={onScale(smoothPoints, scale)}
      dataKey="y"
      baseValue={transform(fillFrom, scale)}
      stroke="none"
      fill={stroke}
      fillOpacity={0.1}
      dot={false}
      activeDot={false}
      isAnimationActive={false}
    />
  );
}

function strokesOf(line: DrawnLine, scale: ChartScale) {
  const { name, stroke, pattern, strokeWidth, rawPoints, smoothPoints, evalPoints } = line;
  const shared = {
    dataKey: "y",
    type: "linear",
    stroke,
    activeDot: false,
    isAnimationActive: false,
    strokeLinejoin: "round",
    dot: false,
  } as const;
  const dashes = pattern === undefined ? {} : { strokeDasharray: pattern };
  const isHeldOutOnly = rawPoints.length === 0;
  // Every line costs a refresh several milliseconds, so those without points are left out.
  return [
    rawPoints.length > 0 && (
      <Line
        key={`${name} raw`}
        {...shared}
        data={onScale(rawPoints, scale)}
        strokeLinecap="round"
        strokeWidth={1}
        strokeOpacity={0.3}
      />
    ),
    smoothPoints.length > 0 && (
      <Line
        key={`${name} smooth`}
        {...shared}
        {...dashes}
        data={onScale(smoothPoints, scale)}
        strokeWidth={strokeWidth}
      />
    ),
    evalPoints.length > 0 && (
      <Line
        key={`${name} eval`}
        {...shared}
        {...(isHeldOutOnly ? dashes : {})}
        data={onScale(evalPoints, scale)}
        strokeWidth={isHeldOutOnly ? strokeWidth : 1}
        strokeOpacity={isHeldOutOnly ? 1 : 0.55}
      />
    ),
  ];
}
