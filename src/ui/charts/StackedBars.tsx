import { useElementSize } from "@mantine/hooks";
import { useId } from "react";
import { Bar, BarChart, CartesianGrid, LabelList, XAxis, YAxis } from "recharts";
import { formatValue } from "../format.ts";

/** How a part is filled, so that parts differ without colour. */
export type BarFill = "solid" | "hatched" | "dotted" | "ink" | "outline";

/** One part of every bar. */
export interface BarPart {
  readonly label: string;
  readonly fill: BarFill;
  /** One value for each bar. */
  readonly values: readonly number[];
  /** Stands beside the bar, not in it. */
  readonly isApart?: boolean;
}

/** What stacked bars are made of. */
export interface StackedBarsProps {
  /** Name of each bar. */
  readonly bars: readonly string[];
  readonly parts: readonly BarPart[];
  readonly height?: number;
}

const tickStyle = { fontSize: 12, fill: "var(--muted)" } as const;
const axisWidth = 44;
const axisHeight = 20;
/** More bars than this have no room for their sums. */
const mostSums = 16;

/** Bars of parts, with their sum above. Their numbers stand in a table elsewhere. */
export function StackedBars({ bars, parts, height = 200 }: StackedBarsProps) {
  const { ref, width } = useElementSize();
  const id = useId();
  const stacked = parts.filter(({ isApart }) => isApart !== true);
  const rows = bars.map((bar, index) => ({
    bar,
    sum: stacked.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
    ...Object.fromEntries(parts.map(({ label, values }) => [label, values[index] ?? 0])),
  }));
  const last = stacked.at(-1);
  return (
    <div ref={ref} className="plot" style={{ height }} aria-hidden="true">
      {width > 0 && (
        <BarChart
          width={width}
          height={height}
          data={rows}
          margin={{ top: 18, right: 6, bottom: 0, left: 0 }}
          barGap={2}
          maxBarSize={64}
          accessibilityLayer={false}
          tabIndex={-1}
        >
          <defs>{patterns(id)}</defs>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="bar"
            height={axisHeight}
            tick={tickStyle}
            tickLine={false}
            axisLine={{ stroke: "var(--line)" }}
          />
          <YAxis
            width={axisWidth}
            tick={tickStyle}
            tickLine={false}
            axisLine={false}
            tickCount={4}
            tickFormatter={formatValue}
          />
          {parts.map(({ label, fill, isApart = false }) => (
            <Bar
              key={label}
              dataKey={label}
              stackId={isApart ? "apart" : "stack"}
              fill={paintOf(fill, id)}
              stroke={fill === "outline" ? "var(--control)" : "var(--panel)"}
              isAnimationActive={false}
            >
              {label === last?.label && bars.length <= mostSums && (
                <LabelList
                  dataKey="sum"
                  position="top"
                  fontSize={12}
                  fill="var(--ink)"
                  formatter={(sum) => formatValue(Number(sum))}
                />
              )}
            </Bar>
          ))}
        </BarChart>
      )}
    </div>
  );
}

/** The fill of a part beside its name. */
export function BarKey({ fill }: { readonly fill: BarFill }) {
  const id = useId();
  return (
    <svg width={14} height={12} aria-hidden="true">
      <defs>{patterns(id)}</defs>
      <rect
        x={0.5}
        y={0.5}
        width={13}
        height={11}
        fill={paintOf(fill, id)}
        stroke={fill === "outline" ? "var(--control)" : "none"}
      />
    </svg>
  );
}

function paintOf(fill: BarFill, id: string): string {
  if (fill === "solid") return "var(--chosen)";
  if (fill === "ink") return "var(--margin)";
  return `url(#${id}${fill})`;
}

/** Patterns of the fills that are no plain colour. */
function patterns(id: string) {
  const size = { width: 6, height: 6, patternUnits: "userSpaceOnUse" } as const;
  return [
    <pattern key="hatched" id={`${id}hatched`} {...size} patternTransform="rotate(45)">
      <rect width={6} height={6} fill="var(--panel)" />
      <rect width={3.5} height={6} fill="var(--rejected)" />
    </pattern>,
    <pattern key="dotted" id={`${id}dotted`} {...size}>
      <rect width={6} height={6} fill="var(--panel)" />
      <circle cx={1.5} cy={1.5} r={1.4} fill="var(--reference)" />
      <circle cx={4.5} cy={4.5} r={1.4} fill="var(--reference)" />
    </pattern>,
    <pattern key="outline" id={`${id}outline`} {...size} patternTransform="rotate(-45)">
      <rect width={6} height={6} fill="var(--panel)" />
      <rect width={1} height={6} fill="var(--control)" />
    </pattern>,
  ];
}
