/** Numbers as a person reads them; always through Intl, always with their unit. */
import type { ConfigValue } from "../state/configChanges.ts";

const locale = "en";
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const finePercent = new Intl.NumberFormat(locale, { style: "percent", maximumSignificantDigits: 2 });
const fine = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });

/** A count with thousands separators. */
export function formatCount(value: number): string {
  return whole.format(value);
}

/** A share between 0 and 1. */
export function formatShare(value: number): string {
  return percent.format(value);
}

/** A share with two significant digits, for shares that may be far below one percent. */
export function formatFineShare(value: number): string {
  return finePercent.format(value);
}

/** A change with its sign and an arrow, so that its direction rests on no colour. */
export function formatChange(value: number): string {
  const text = formatValue(value);
  if (text === "0" || !Number.isFinite(value)) return text;
  return value > 0 ? `+${text} ▲` : `${text} ▼`;
}

/** A measured value with three significant digits. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  // Sums of 32-bit log-probs cannot tell less than this from 0.
  if (Math.abs(value) < 1e-6) return "0";
  const text = Math.abs(value) < 1e-3 ? value.toExponential(1) : fine.format(value);
  return text.replaceAll("-", "−");
}

/** A setting as it is typed: plain, or with an exponent when it is very small. */
export function formatSetting(value: number): string {
  if (!Number.isFinite(value)) return "";
  const short = Number(value.toPrecision(6));
  return short !== 0 && Math.abs(short) < 1e-2 ? short.toExponential().replace("e+", "e") : String(short);
}

/** Any setting as one line of text. */
export function formatConfigValue(value: ConfigValue): string {
  if (value === undefined || value === null || value === "") return "–";
  if (typeof value === "number") return formatSetting(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "string" ? value : Object.values(value).join(", ");
}

/** Bytes in the largest unit that leaves at least 1. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : whole.format(value)} ${units[power] ?? "B"}`;
}

const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

/** A day, from milliseconds since 1970. */
export function formatDay(time: number): string {
  return day.format(time);
}

/** So many bytes of so many, in the larger one's unit where that says enough: 310 of 412 MB. */
export function formatBytesOf(part: number, whole: number): string {
  const [partText = "", partUnit] = formatBytes(part).split(" ");
  const wholeText = formatBytes(whole);
  return wholeText.endsWith(` ${partUnit}`)
    ? `${partText} of ${wholeText}`
    : `${partText} ${partUnit} of ${wholeText}`;
}

/** Seconds as a clock: 0:12, 3:05, 1:02:03. */
export function formatClock(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const pad = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** A span of time in one unit: 25 s, 3 min, 2 h. */
export function formatSpan(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** Steps per second, or seconds per step when it takes longer than one. */
export function formatSpeed(stepsPerSecond: number): string {
  const rounded = Number(stepsPerSecond.toPrecision(2));
  return rounded >= 1
    ? `${fine.format(rounded)} ${rounded === 1 ? "step" : "steps"}/s`
    : `${fine.format(Number((1 / stepsPerSecond).toPrecision(2)))} s/step`;
}
