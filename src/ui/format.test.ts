import { expect, it } from "vitest";
import {
  formatBytes,
  formatBytesOf,
  formatClock,
  formatConfigValue,
  formatDay,
  formatSetting,
  formatSpan,
  formatSpeed,
  formatValue,
} from "./format.ts";

it.each([
  [0, "0"],
  [-3e-7, "0"],
  [-0.0123456, "−0.0123"],
  [0.000123, "1.2e−4"],
  [1234.5, "1,230"],
  [Number.NaN, "not a number"],
])("writes the measured value %d", (value, text) => {
  expect(formatValue(value)).toBe(text);
});

it("writes settings as they are typed", () => {
  expect([0.1, 2e-3, 5e-7, 300, 0, Number.NaN].map(formatSetting)).toEqual([
    "0.1",
    "2e-3",
    "5e-7",
    "300",
    "0",
    "",
  ]);
  expect(formatConfigValue(["q_proj", "v_proj"])).toBe("q_proj, v_proj");
  expect(formatConfigValue(undefined)).toBe("–");
});

it("writes sizes, times and speeds with their unit", () => {
  expect([0, 4096, 2_449_920, 210e6, 1.6e9].map(formatBytes)).toEqual([
    "0 B",
    "4.1 kB",
    "2.4 MB",
    "210 MB",
    "1.6 GB",
  ]);
  expect([0, 12, 185, 3723].map(formatClock)).toEqual(["0:00", "0:12", "3:05", "1:02:03"]);
  expect([0.2, 25, 180, 7200].map(formatSpan)).toEqual(["1 s", "25 s", "3 min", "2 h"]);
  expect([12.34, 1.02, 0.4].map(formatSpeed)).toEqual(["12 steps/s", "1 step/s", "2.5 s/step"]);
});

it("says a part and its whole with one unit where they share it", () => {
  expect(formatBytesOf(310e6, 412e6)).toBe("310 of 412 MB");
  expect(formatBytesOf(310e6, 2e9)).toBe("310 MB of 2.0 GB");
  expect(formatBytesOf(0, 0)).toBe("0 of 0 B");
  expect(formatDay(Date.UTC(2026, 10, 1, 12))).toBe("Nov 1, 2026");
});
