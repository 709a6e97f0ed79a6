import { formatValue } from "../format.ts";
import type { DrawnLine } from "./drawnSeries.ts";
import { pixelX, pixelY, type PlotGeometry } from "./plotGeometry.ts";
import { nearestPoint } from "./segments.ts";

/** A place on the chart and the lines whose values there are shown. */
export interface ChartPlaceProps {
  readonly lines: readonly DrawnLine[];
  readonly geometry: PlotGeometry;
  readonly x: number;
  readonly xLabel: string;
}

/** The crosshair with the place written on the axis and a dot on every line. */
export function ChartHair({ lines, geometry, x, xLabel }: ChartPlaceProps) {
  const pixel = pixelX(geometry, x);
  const { left, top, plotWidth, plotHeight } = geometry;
  const text = `${xLabel} ${formatValue(x)}`;
  const half = text.length * 3.4 + 6;
  const middle = Math.min(Math.max(pixel, left + half - 20), left + plotWidth - half + 20);
  return (
    <g>
      <line className="chart-hair" x1={pixel} x2={pixel} y1={top} y2={top + plotHeight} />
      <rect
        className="chart-pill"
        x={middle - half}
        width={2 * half}
        y={top + plotHeight + 3}
        height={18}
        rx={4}
      />
      <text className="chart-pill-text" x={middle} y={top + plotHeight + 16} textAnchor="middle">
        {text}
      </text>
      {lines.map((line) => {
        const point = nearestPoint(line.smoothed.length > 0 ? line.smoothed : line.evalPoints, x);
        const y = point === null ? Number.NaN : pixelY(geometry, point.y);
        if (point === null || !Number.isFinite(y)) return null;
        return (
          <circle
            key={line.name}
            className="chart-dot"
            cx={pixelX(geometry, point.x)}
            cy={y}
            r={4}
            fill={line.stroke}
          />
        );
      })}
    </g>
  );
}

/** Raw and smoothed values at a place, beside the crosshair. */
export function ChartReadOut({ lines, geometry, x, xLabel }: ChartPlaceProps) {
  const pixel = pixelX(geometry, x);
  const isRight = pixel > geometry.left + geometry.plotWidth / 2;
  const side = isRight ? { right: geometry.width - pixel + 10 } : { left: pixel + 10 };
  return (
    <div className="chart-readout" style={{ top: geometry.top, ...side }} aria-hidden="true">
      <table>
        <thead>
          <tr>
            <th scope="col">
              {xLabel} {formatValue(x)}
            </th>
            <th scope="col">raw</th>
            <th scope="col">smooth</th>
          </tr>
        </thead>
        <tbody>{lines.map((line) => readOutRows(line, x))}</tbody>
      </table>
    </div>
  );
}

function readOutRows(line: DrawnLine, x: number) {
  const raw = nearestPoint(line.complete, x);
  const smoothed = nearestPoint(line.smoothed, x);
  const held = line.evalPoints.find((point) => point.x === x);
  const swatch = (
    <i className="chart-swatch" data-dash={line.pattern !== undefined} style={{ color: line.stroke }} />
  );
  return [
    raw !== null && (
      <tr key={line.name}>
        <th scope="row">
          {swatch}
          {line.label}
        </th>
        <td>{formatValue(raw.y)}</td>
        <td>{smoothed === null || !Number.isFinite(smoothed.y) ? "–" : formatValue(smoothed.y)}</td>
      </tr>
    ),
    held !== undefined && (
      <tr key={`${line.name} held`}>
        <th scope="row">
          <i className="chart-swatch-dot" style={{ color: line.stroke }} />
          {line.label}, held-out
        </th>
        <td>{formatValue(held.y)}</td>
        <td>–</td>
      </tr>
    ),
  ];
}
