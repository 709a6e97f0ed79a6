import { memo } from "react";
import type { DrawnLine } from "./drawnSeries.ts";
import { pixelX, pixelY, type PlotGeometry } from "./plotGeometry.ts";

/** What the whiskers are made of. */
interface ChartIntervalsProps {
  readonly lines: readonly DrawnLine[];
  readonly geometry: PlotGeometry;
}

/** Half the width of a whisker's end, wider for the first line so that two at one place are told apart. */
const capOf = (line: number) => (line === 0 ? 6 : 3.5);

/** How uncertain the values of lines are: a whisker at each, in the stroke of its line. */
export const ChartIntervals = memo(function ChartIntervals({ lines, geometry }: ChartIntervalsProps) {
  if (lines.every(({ intervals }) => intervals.length === 0)) return null;
  const { width, height, places } = geometry;
  return (
    <svg className="chart-layer" width={width} height={height} aria-hidden="true">
      {lines.map(({ name, stroke, pattern, intervals }, line) => (
        <g key={name} stroke={stroke} strokeWidth={1.4} fill="none">
          {intervals
            .filter(({ x }) => x >= places[0] && x <= places[1])
            .map(({ x, low, high }) => {
              const [center, bottom, top] = [
                pixelX(geometry, x),
                pixelY(geometry, low),
                pixelY(geometry, high),
              ];
              if (!Number.isFinite(bottom) || !Number.isFinite(top)) return null;
              const cap = capOf(line);
              return (
                <g key={x}>
                  <path d={`M${center} ${bottom}V${top}`} strokeDasharray={pattern} />
                  <path d={`M${center - cap} ${bottom}h${2 * cap}M${center - cap} ${top}h${2 * cap}`} />
                </g>
              );
            })}
        </g>
      ))}
    </svg>
  );
});
