/** From values to heights and back. Everything is drawn on a straight axis of transformed values. */
import type { SeriesPoint } from "../../state/series.ts";
import { formatValue } from "../format.ts";
import type { ChartScale, ChartSeries } from "./chartTypes.ts";

/** Between −0.1 and 0.1 symlog is nearly straight; beyond, every factor of ten is one unit. */
const symlogUnit = 0.1;

/** The height of a value; NaN when the scale cannot show it. */
export function transform(value: number, scale: ChartScale): number {
  if (scale === "linear") return value;
  if (scale === "log") return value > 0 ? Math.log10(value) : Number.NaN;
  return Math.sign(value) * Math.log10(1 + Math.abs(value) / symlogUnit);
}

/** The value at a height: the inverse of `transform`. */
export function invert(height: number, scale: ChartScale): number {
  if (scale === "linear") return height;
  if (scale === "log") return 10 ** height;
  return Math.sign(height) * symlogUnit * (10 ** Math.abs(height) - 1);
}

/** Why a plain log scale is not offered: the first value that it cannot show; null when it can show all. */
export function logRefusal(series: readonly ChartSeries[], xLabel: string): string | null {
  for (const { label, points, complete, evalPoints } of series) {
    const isBad = ({ y }: SeriesPoint) => Number.isFinite(y) && y <= 0;
    const bad = (complete ?? points).find(isBad) ?? evalPoints?.find(isBad);
    if (bad !== undefined) {
      return `log needs values above 0, but ${label} is ${formatValue(bad.y)} at ${xLabel} ${formatValue(bad.x)}`;
    }
  }
  return null;
}

/** Round numbers that divide a range into about `count` parts, in steps of 1, 2 or 5 times a power of ten. */
export function niceTicks(lowest: number, highest: number, count: number): number[] {
  const span = highest - lowest;
  if (!(span > 0) || !Number.isFinite(span)) return [lowest];
  const rough = span / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(lowest / step - 1e-9);
  const last = Math.floor(highest / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => round((first + index) * step));
}

/**
 * Ticks of a value axis between two values: powers of ten and 0 on the curved scales, then 5 and 2 times
 * those where there is room, then round numbers. `closest` is the least distance as a share of the axis.
 */
export function valueTicks(
  [lowest, highest]: readonly [number, number],
  scale: ChartScale,
  closest: number,
): number[] {
  const straight = niceTicks(lowest, highest, Math.max(2, 1 / closest));
  if (scale === "linear") return straight;
  const height = (value: number) => transform(value, scale);
  const least = (height(highest) - height(lowest)) * closest;
  const accepted: number[] = [];
  const offer = (candidates: readonly number[]) => {
    for (const value of candidates) {
      if (value < lowest || value > highest) continue;
      if (accepted.every((tick) => Math.abs(height(tick) - height(value)) >= least)) accepted.push(value);
    }
  };
  offer(powerTicks(1, scale));
  if (accepted.length < 4) offer([...powerTicks(5, scale), ...powerTicks(2, scale)]);
  if (accepted.length < 3) offer(straight);
  return accepted.sort((left, right) => left - right);
}

function powerTicks(factor: number, scale: ChartScale): number[] {
  const lowestPower = scale === "log" ? -9 : -1;
  const positive = Array.from({ length: 10 - lowestPower }, (_, index) =>
    round(factor * 10 ** (lowestPower + index)),
  );
  if (scale === "log") return positive;
  return [0, ...positive.toReversed().flatMap((value) => [value, -value])];
}

/** Text of a tick: as many decimals as the least distance between ticks needs; 0 is always plain. */
export function formatTick(value: number, ticks: readonly number[]): string {
  if (value === 0) return "0";
  const gaps = ticks.slice(1).map((tick, index) => Math.abs(tick - (ticks[index] ?? tick)));
  const gap = Math.min(...gaps, Math.abs(value));
  const decimals = gap >= 1 ? (Number.isInteger(value) ? 0 : 1) : Math.ceil(-Math.log10(gap) - 1e-9);
  if (Math.abs(value) >= 10_000 || decimals > 5) return formatValue(value);
  return value.toFixed(Math.min(decimals, 5)).replace("-", "−");
}

function round(value: number): number {
  return Number(value.toPrecision(12));
}
