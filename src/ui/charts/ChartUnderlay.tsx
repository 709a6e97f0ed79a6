import { memo } from "react";
import type { ChartGuide, ChartMark } from "./chartTypes.ts";
import { pixelX, pixelY, type PlotGeometry } from "./plotGeometry.ts";

/** What lies under and over the lines without being data. */
export interface ChartNotesProps {
  readonly geometry: PlotGeometry;
  readonly guides: readonly ChartGuide[];
  readonly marks: readonly ChartMark[];
}

const noteHeight = 16;

function isInside({ top, plotHeight }: PlotGeometry, pixel: number): boolean {
  return pixel >= top && pixel <= top + plotHeight;
}

function visibleMarks(marks: readonly ChartMark[], { places }: PlotGeometry): readonly ChartMark[] {
  return marks.filter(({ x }) => x >= places[0] && x <= places[1]);
}

/** Under the lines: 0, guides, and marks of what happened to the run. */
export const ChartUnderlay = memo(function ChartUnderlay({ geometry, guides, marks }: ChartNotesProps) {
  const { width, height, left, top, plotWidth, plotHeight } = geometry;
  const right = left + plotWidth;
  const levels = [{ y: 0, kind: "zero" }, ...guides.map(({ y }) => ({ y, kind: "guide" }))];
  return (
    <svg className="chart-layer" width={width} height={height} aria-hidden="true">
      {levels.map(({ y, kind }, index) => {
        const pixel = pixelY(geometry, y);
        if (!isInside(geometry, pixel)) return null;
        return <line key={index} className={`chart-${kind}`} x1={left} x2={right} y1={pixel} y2={pixel} />;
      })}
      {visibleMarks(marks, geometry).map(({ x, label }, index) => {
        const pixel = pixelX(geometry, x);
        const key = `${index} ${label}`;
        return <line key={key} className="chart-mark" x1={pixel} x2={pixel} y1={top} y2={top + plotHeight} />;
      })}
    </svg>
  );
});

/** Over the lines: what guides and marks are called. A guide close to a named one shares its name. */
export const ChartNotes = memo(function ChartNotes({ geometry, guides, marks }: ChartNotesProps) {
  const { width, height, left, top, plotWidth } = geometry;
  const isNamed = (index: number, pixel: number) =>
    guides.slice(0, index).every(({ y }) => Math.abs(pixelY(geometry, y) - pixel) > noteHeight);
  return (
    <svg className="chart-layer" width={width} height={height} aria-hidden="true">
      {guides.map(({ y, label, side }, index) => {
        const pixel = pixelY(geometry, y);
        if (!isInside(geometry, pixel) || !isNamed(index, pixel)) return null;
        const shift = side === "below" ? 14 : -5;
        return (
          <text
            key={`${label} ${y}`}
            className="chart-note"
            x={left + plotWidth - 4}
            y={pixel + shift}
            textAnchor="end"
          >
            {label}
          </text>
        );
      })}
      {visibleMarks(marks, geometry).map(({ x, label }, index) => (
        <text key={`${index} ${label}`} className="chart-note" x={pixelX(geometry, x) + 4} y={top + 10}>
          {label}
        </text>
      ))}
    </svg>
  );
});
