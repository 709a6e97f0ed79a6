import { useElementSize } from "@mantine/hooks";
import { CartesianGrid, ReferenceLine, Scatter, ScatterChart, XAxis, YAxis, ZAxis } from "recharts";
import { formatValue } from "../format.ts";
import "./charts.css";

/** A dot of a scatter plot. */
export interface ScatterPoint {
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

/** Dots of one colour and shape. */
export interface ScatterGroup {
  readonly label: string;
  readonly color: "chosen" | "rejected" | "reference";
  readonly shape: "circle" | "diamond" | "cross";
  readonly points: readonly ScatterPoint[];
}

/** What a scatter plot is made of. */
export interface ScatterPlotProps {
  readonly groups: readonly ScatterGroup[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Draws the line on which both are equal, or that on which y is 0. */
  readonly guide: "equal" | "zero";
  readonly height?: number;
  /** A dot was clicked; whatever it does must be reachable elsewhere by keyboard. */
  readonly onPoint?: (id: number) => void;
}

/** Most dots that are drawn. */
export const mostPoints = 300;

/** Of a dot, in square pixels. */
const dotArea = 36;

const tickStyle = { fontSize: 12, fill: "var(--muted)" } as const;

/** Dots over two axes. Its numbers stand in a table elsewhere. */
export function ScatterPlot({ groups, xLabel, yLabel, guide, height = 220, onPoint }: ScatterPlotProps) {
  const { ref, width } = useElementSize();
  const ends = endsOf(
    groups.flatMap((group) => group.points),
    guide,
  );
  return (
    <figure className="scatter">
      <figcaption className="scatter-axis">{yLabel} ↑</figcaption>
      <div ref={ref} className="plot" style={{ height }} aria-hidden="true">
        {width > 0 && (
          <ScatterChart
            width={width}
            height={height}
            margin={{ top: 6, right: 10, bottom: 0, left: 0 }}
            accessibilityLayer={false}
            tabIndex={-1}
          >
            <CartesianGrid stroke="var(--line)" />
            {axes(ends, guide)}
            {guide === "equal" ? (
              <ReferenceLine segment={[{ x: 0, y: 0 }, ends]} stroke="var(--control)" strokeDasharray="4 4" />
            ) : (
              <ReferenceLine y={0} stroke="var(--control)" />
            )}
            {groups.map(({ label, color, shape, points: dots }) => (
              <Scatter
                key={label}
                data={[...dots]}
                fill={`var(--${color})`}
                fillOpacity={0.75}
                shape={shape}
                isAnimationActive={false}
                {...(onPoint === undefined
                  ? {}
                  : { cursor: "pointer", onClick: (dot: unknown) => onPoint(idOf(dot)) })}
              />
            ))}
          </ScatterChart>
        )}
      </div>
      <figcaption className="scatter-axis scatter-axis-x">{xLabel} →</figcaption>
    </figure>
  );
}

function axes({ x, y }: Ends, guide: ScatterPlotProps["guide"]) {
  const shared = {
    type: "number",
    tick: tickStyle,
    tickLine: false,
    tickFormatter: formatValue,
    interval: 0,
    axisLine: { stroke: "var(--line)" },
  } as const;
  const least = guide === "equal" ? 0 : -y;
  return [
    <XAxis key="x" dataKey="x" {...shared} domain={[0, x]} ticks={quarters(0, x)} height={20} />,
    <YAxis key="y" dataKey="y" {...shared} domain={[least, y]} ticks={quarters(least, y)} width={60} />,
    <ZAxis key="z" range={[dotArea, dotArea]} />,
  ];
}

/** Where the axes end. */
interface Ends {
  readonly x: number;
  readonly y: number;
}

function endsOf(points: readonly ScatterPoint[], guide: ScatterPlotProps["guide"]): Ends {
  const largest = (values: readonly number[]) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const x = largest(points.map((point) => point.x));
  const y = largest(points.map((point) => point.y));
  if (guide === "zero") return { x: roundEnd(x), y: roundEnd(y) };
  const both = roundEnd(Math.max(x, y));
  return { x: both, y: both };
}

function quarters(from: number, to: number): number[] {
  return [0, 1, 2, 3, 4].map((part) => from + ((to - from) * part) / 4);
}

/** The next value at which an axis may end, which is a half of a power of ten; 1 where there is nothing. */
function roundEnd(end: number): number {
  if (!(end > 0)) return 1;
  const step = 10 ** Math.floor(Math.log10(end)) / 2;
  return Number((Math.ceil(end / step) * step).toPrecision(6));
}

/** Recharts hands over the dot with its data among other things. */
function idOf(dot: unknown): number {
  return (dot as { readonly payload: ScatterPoint }).payload.id;
}

/** At most so many of the points, evenly taken. */
export function thinned<Point>(points: readonly Point[], most: number = mostPoints): readonly Point[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, index) => points[Math.floor((index * points.length) / most)]!);
}
