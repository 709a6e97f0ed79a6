import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTick, invert, logRefusal, niceTicks, transform, valueTicks } from "./scales.ts";

describe("symlog", () => {
  test("is odd, keeps 0, and shows a factor of ten as about one unit", () => {
    expect(transform(0, "symlog")).toBe(0);
    expect(transform(-3, "symlog")).toBe(-transform(3, "symlog"));
    expect(transform(1000, "symlog") - transform(100, "symlog")).toBeCloseTo(1, 2);
  });

  test("grows everywhere and can be undone", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
        expect(invert(transform(value, "symlog"), "symlog")).toBeCloseTo(value, 5);
        expect(transform(value + 1, "symlog")).toBeGreaterThan(transform(value, "symlog"));
      }),
    );
  });

  test("offers 0 and powers of ten", () => {
    expect(valueTicks([-12, 12], "symlog", 0.05)).toEqual([-10, -1, -0.1, 0, 0.1, 1, 10]);
  });

  test("fills in fives and twos, or round numbers, where powers of ten are too few", () => {
    expect(valueTicks([-0.02, 0.6], "symlog", 0.12)).toEqual([0, 0.1, 0.2, 0.5]);
    const ticks = valueTicks([-41, -33], "symlog", 0.12);
    expect(ticks.length).toBeGreaterThanOrEqual(3);
    expect(ticks.every((tick) => tick >= -41 && tick <= -33)).toBe(true);
  });
});

describe("log", () => {
  const series = (values: number[]) => [
    {
      name: "kl/chosen",
      label: "chosen",
      color: "chosen" as const,
      points: values.map((y, x) => ({ x, y })),
    },
  ];

  test("is refused with the step and the value that it cannot show", () => {
    expect(logRefusal(series([1, 2]), "step")).toBeNull();
    expect(logRefusal(series([1, Number.NaN, 2]), "step")).toBeNull();
    expect(logRefusal(series([1, 0, 2]), "step")).toBe("log needs values above 0, but chosen is 0 at step 1");
  });

  test("has no height for what it cannot show", () => {
    expect(transform(0, "log")).toBeNaN();
    expect(valueTicks([0.5, 200], "log", 0.12)).toEqual([1, 10, 100]);
  });
});

test("round ticks lie inside their range at even distances", () => {
  expect(niceTicks(0, 1, 4)).toEqual([0, 0.5, 1]);
  expect(niceTicks(-41, -33, 4)).toEqual([-40, -38, -36, -34]);
  expect(niceTicks(2, 2, 4)).toEqual([2]);
});

test("ticks are written with the decimals that tell them apart", () => {
  const texts = (ticks: number[]) => ticks.map((tick) => formatTick(tick, ticks));
  expect(texts([-0.5, 0, 0.5])).toEqual(["−0.5", "0", "0.5"]);
  expect(texts([0.68, 0.69, 0.7])).toEqual(["0.68", "0.69", "0.70"]);
  expect(texts([0, 50, 100])).toEqual(["0", "50", "100"]);
});
