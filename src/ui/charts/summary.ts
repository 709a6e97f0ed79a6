/** A chart in words and in rows. */
import type { SeriesPoint } from "../../state/series.ts";
import { formatValue } from "../format.ts";
import { changeSinceStart } from "./callouts.ts";
import type { ChartSeries } from "./chartTypes.ts";

/** Changes below this share of the value's size are called steady. */
const steadyShare = 0.02;

function trend(series: ChartSeries, newest: number): string {
  const change = changeSinceStart(series);
  if (change === null) return "";
  if (Math.abs(change) <= steadyShare * Math.max(Math.abs(newest), 0.05)) return ", steady";
  return change > 0 ? ", up since the start" : ", down since the start";
}

/** One sentence about the newest values of a chart and where they are heading. */
export function summarise(title: string, series: readonly ChartSeries[], xLabel: string): string {
  const parts: string[] = [];
  let place = Number.NEGATIVE_INFINITY;
  for (const line of series) {
    const values = line.complete ?? line.points;
    const newest = (values.length > 0 ? values : (line.evalPoints ?? [])).at(-1);
    if (newest === undefined) continue;
    place = Math.max(place, newest.x);
    parts.push(`${line.label} ${formatValue(newest.y)}${trend(line, newest.y)}`);
  }
  if (parts.length === 0) return `${title}: nothing measured yet.`;
  return `${title} at ${xLabel} ${formatValue(place)}: ${parts.join("; ")}.`;
}

/** All values of a chart at one place. */
export interface ChartRow {
  readonly x: number;
  readonly values: readonly (number | null)[];
}

/** Names of the columns and one row for each place, in order of x; the values are raw. */
export interface ChartRows {
  readonly columns: readonly string[];
  readonly rows: readonly ChartRow[];
}

/** The raw values of a chart as a table. */
export function tableRows(series: readonly ChartSeries[]): ChartRows {
  const columns: { name: string; points: readonly SeriesPoint[] }[] = [];
  for (const { name, points, complete, evalPoints, intervals = [] } of series) {
    if (points.length > 0) columns.push({ name, points: complete ?? points });
    if (evalPoints !== undefined && evalPoints.length > 0) {
      columns.push({ name: `eval_${name}`, points: evalPoints });
    }
    if (intervals.length > 0) {
      columns.push({ name: `${name} from`, points: intervals.map(({ x, low }) => ({ x, y: low })) });
      columns.push({ name: `${name} to`, points: intervals.map(({ x, high }) => ({ x, y: high })) });
    }
  }
  const byPlace = new Map<number, (number | null)[]>();
  for (const [column, { points }] of columns.entries()) {
    for (const { x, y } of points) {
      let values = byPlace.get(x);
      if (values === undefined) byPlace.set(x, (values = columns.map(() => null)));
      values[column] = y;
    }
  }
  const rows = [...byPlace].map(([x, values]) => ({ x, values })).sort((a, b) => a.x - b.x);
  return { columns: columns.map(({ name }) => name), rows };
}

/** The table as comma-separated text; a value that was not measured is left empty. */
export function toCsv({ columns, rows }: ChartRows, xLabel: string): string {
  const lines = rows.map(({ x, values }) => [x, ...values.map((value) => value ?? "")].join(","));
  return `${[[xLabel, ...columns].join(","), ...lines].join("\n")}\n`;
}
