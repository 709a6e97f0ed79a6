import { memo } from "react";
import type { ChartGuide, ChartMark } from "./chartTypes.ts";
import { pixelX, pixelY, type PlotGeometry } from "./plotGeometry.ts";

/** What lies under the lines. */
export interface ChartUnderlayProps {
  readonly geometry: PlotGeometry;
  readonly guides: readonly ChartGuide[];
  readonly marks: readonly ChartMark[];
}

/** The line of 0, guides with their meaning, and marks of what happened to the run. */
export const ChartUnderlay = memo(function ChartUnderlay({ geometry, guides, marks }: ChartUnderlayProps) {
  const { width, height, left, top, plotWidth, plotHeight, places } = geometry;
  const right = left + plotWidth;
  const isInside = (pixel: number) => pixel >= top && pixel <= top + plotHeight;
  const zero = pixelY(geometry, 0);
  return (
    <svg className="chart-layer" width={width} height={height} aria-hidden="true">
      {isInside(zero) && <line className="chart-zero" x1={left} x2={right} y1={zero} y2={zero} />}
      {guides.map(({ y, label }) => {
        const pixel = pixelY(geometry, y);
        if (!isInside(pixel)) return null;
        return (
          <g key={`${label} ${y}`}>
            <line className="chart-guide" x1={left} x2={right} y1={pixel} y2={pixel} />
            <text className="chart-note" x={right - 4} y={pixel - 4} textAnchor="end">
              {label}
            </text>
          </g>
        );
      })}
      {marks.map(({ x, label }, index) => {
        if (x < places[0] || x > places[1]) return null;
        const pixel = pixelX(geometry, x);
        return (
          <g key={`${index} ${label}`}>
            <line className="chart-mark" x1={pixel} x2={pixel} y1={top} y2={top + plotHeight} />
            <text className="chart-note" x={pixel + 4} y={top + 10}>
              {label}
            </text>
          </g>
        );
      })}
    </svg>
  );
});
