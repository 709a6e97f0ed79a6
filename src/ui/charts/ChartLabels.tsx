import { memo } from "react";
import { formatValue } from "../format.ts";
import { spreadLabels } from "./domains.ts";
import { endPoint, type DrawnLine } from "./drawnSeries.ts";
import { pixelX, pixelY, type PlotGeometry } from "./plotGeometry.ts";
import { invalidPlaces, nearestPoint } from "./segments.ts";

/** Height of a label: the line's name and its value below. */
const labelHeight = 29;
const keyLength = 12;

/** Pixels that the labels of some lines need to the right of the plot. */
export function gutterFor(lines: readonly DrawnLine[]): number {
  const longest = Math.max(0, ...lines.map(({ label }) => label.length));
  // Values are up to eight figures long and set bold.
  return Math.min(112, 9 + Math.max(keyLength + 5 + Math.ceil(longest * 6.4), 62));
}

/** What the labels are made of. */
export interface ChartLabelsProps {
  readonly lines: readonly DrawnLine[];
  readonly geometry: PlotGeometry;
  /** Where the crosshair is; the numbers are those of its place instead of the newest. */
  readonly hoveredX: number | null;
}

/** Names and values at the ends of the lines, and a cross for each step whose value is not a number. */
export function ChartLabels({ lines, geometry, hoveredX }: ChartLabelsProps) {
  const { width, height, left, top, plotWidth, plotHeight, places } = geometry;
  const right = left + plotWidth;
  const ended = lines.flatMap((line) => {
    const end = visibleEnd(line, places[1]);
    return end === null ? [] : [{ line, end, wish: clamp(pixelY(geometry, end.y), top, top + plotHeight) }];
  });
  const spread = spreadLabels(
    ended.map(({ wish }) => wish),
    labelHeight,
    [top + 8, top + plotHeight - 6],
  );
  return (
    <svg className="chart-layer" width={width} height={height} aria-hidden="true">
      {lines.map((line) => (
        <HeldOutDots key={line.name} line={line} geometry={geometry} />
      ))}
      {ended.map(({ line, end, wish }, index) => {
        const middle = spread[index] ?? wish;
        const from = Math.min(pixelX(geometry, end.x), right);
        const shown = hoveredX === null ? end : (pointAt(line, hoveredX) ?? end);
        return (
          <g key={line.name}>
            {right - from > 8 && (
              <line className="chart-leader" data-far="true" x1={from + 6} x2={right} y1={wish} y2={wish} />
            )}
            <line className="chart-leader" x1={right + 1} x2={right + 8} y1={wish} y2={middle} />
            <line
              x1={right + 8}
              x2={right + 8 + keyLength}
              y1={middle}
              y2={middle}
              stroke={line.stroke}
              strokeWidth={line.strokeWidth}
              strokeDasharray={line.pattern === undefined ? undefined : "4 3"}
            />
            <text className="chart-label" x={right + 8 + keyLength + 5} y={middle + 1}>
              {line.label}
              <tspan className="chart-label-value" x={right + 9} dy={14}>
                {Number.isFinite(shown.y) ? formatValue(shown.y) : "✕"}
              </tspan>
            </text>
          </g>
        );
      })}
      {invalidPlaces(lines.flatMap(({ rawPoints, evalPoints }) => [rawPoints, evalPoints]))
        .filter((x) => x >= places[0] && x <= places[1])
        .map((x) => (
          <path key={x} className="chart-cross" d={crossPath(pixelX(geometry, x), top + plotHeight)} />
        ))}
    </svg>
  );
}

interface HeldOutDotsProps {
  readonly line: DrawnLine;
  readonly geometry: PlotGeometry;
}

/** Dots of the held-out values: open beside a line of training values, filled where they are the line. */
const HeldOutDots = memo(function HeldOutDots({ line, geometry }: HeldOutDotsProps) {
  const { evalPoints, rawPoints, stroke } = line;
  const { places } = geometry;
  return evalPoints.map(({ x, y }) => {
    const pixel = pixelY(geometry, y);
    if (x < places[0] || x > places[1] || !Number.isFinite(pixel)) return null;
    return (
      <circle
        key={x}
        cx={pixelX(geometry, x)}
        cy={pixel}
        r={evalPoints.length > 20 ? 1.8 : 2.6}
        fill={rawPoints.length === 0 ? stroke : "var(--panel)"}
        stroke={stroke}
        strokeWidth={1.4}
      />
    );
  });
});

function visibleEnd(line: DrawnLine, last: number) {
  const newest = endPoint(line);
  if (newest === null || newest.x <= last) return newest;
  const points = line.smoothed.length > 0 ? line.smoothed : line.evalPoints;
  return points.findLast(({ x, y }) => x <= last && Number.isFinite(y)) ?? null;
}

function pointAt({ smoothed, evalPoints }: DrawnLine, x: number) {
  return nearestPoint(smoothed.length > 0 ? smoothed : evalPoints, x);
}

function crossPath(x: number, y: number): string {
  return `M${x - 4} ${y - 4}l8 8m0-8l-8 8`;
}

function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}
