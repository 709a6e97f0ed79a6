import { useElementSize } from "@mantine/hooks";
import { Bar, ComposedChart, Line, ReferenceLine, XAxis, YAxis } from "recharts";
import { formatCount, formatValue } from "../format.ts";

/** What a histogram is made of. */
export interface HistogramProps {
  /** Bin i goes from `edges[i]` to `edges[i + 1]`. */
  readonly edges: Float32Array;
  readonly before: Float32Array;
  /** Drawn as an outline over the bars. */
  readonly after: Float32Array | null;
  /** A value that is pointed at on the axis. */
  readonly marker: number | null;
  /** Something else at the middle of each bin, as a dashed line over an axis of its own that begins at 0. */
  readonly curve?: Float32Array;
  readonly height?: number;
}

const tickStyle = { fontSize: 12, fill: "var(--muted)" } as const;
const axisHeight = 20;
const axisWidth = 44;

/** How often values lie in each bin: bars, and as an outline the same later. Its numbers stand in a table elsewhere. */
export function Histogram({ edges, before, after, marker, curve, height = 120 }: HistogramProps) {
  const { ref, width } = useElementSize();
  const bins = Array.from(before, (count, index) => ({
    x: ((edges[index] ?? 0) + (edges[index + 1] ?? 0)) / 2,
    before: count,
    after: after?.[index] ?? 0,
    curve: curve?.[index] ?? 0,
  }));
  const domain = [edges[0] ?? 0, edges.at(-1) ?? 1];
  const barSize = Math.max(
    (width - axisWidth * (curve === undefined ? 1 : 2)) / Math.max(bins.length, 1) - 1,
    1,
  );
  return (
    <div ref={ref} className="plot" style={{ height }} aria-hidden="true">
      {width > 0 && (
        <ComposedChart
          width={width}
          height={height}
          data={bins}
          margin={{ top: 6, right: 6, bottom: 0, left: 0 }}
          accessibilityLayer={false}
          tabIndex={-1}
        >
          <XAxis
            dataKey="x"
            type="number"
            domain={domain}
            height={axisHeight}
            tick={tickStyle}
            tickLine={false}
            tickCount={5}
            tickFormatter={formatValue}
            axisLine={{ stroke: "var(--line)" }}
          />
          <YAxis
            width={axisWidth}
            tick={tickStyle}
            tickLine={false}
            axisLine={false}
            tickCount={3}
            tickFormatter={formatCount}
            allowDecimals={false}
          />
          <Bar dataKey="before" barSize={barSize} fill="var(--reference)" isAnimationActive={false} />
          {after !== null && (
            <Line
              type="step"
              dataKey="after"
              stroke="var(--chosen)"
              strokeWidth={2}
              dot={false}
              activeDot={false}
              isAnimationActive={false}
            />
          )}
          {curve !== undefined && curveParts()}
          {marker !== null && <ReferenceLine x={marker} stroke="var(--rejected)" strokeWidth={2} />}
        </ComposedChart>
      )}
    </div>
  );
}

function curveParts() {
  return [
    <YAxis
      key="axis"
      yAxisId="curve"
      orientation="right"
      width={axisWidth}
      domain={[0, "auto"]}
      tick={tickStyle}
      tickLine={false}
      axisLine={false}
      tickCount={3}
      tickFormatter={formatValue}
    />,
    <Line
      key="line"
      yAxisId="curve"
      type="linear"
      dataKey="curve"
      stroke="var(--ink)"
      strokeWidth={2}
      strokeDasharray="6 4"
      dot={false}
      activeDot={false}
      isAnimationActive={false}
    />,
  ];
}
