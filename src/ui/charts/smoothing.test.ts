import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { smooth, thin } from "./smoothing.ts";

const line = (values: readonly number[]) => values.map((y, x) => ({ x, y }));

describe("smooth", () => {
  test("is de-biased: the first value stays and a constant stays constant", () => {
    for (const { y } of smooth(line([3, 3, 3]), 0.9)) expect(y).toBeCloseTo(3, 12);
    const [first, second] = smooth(line([1, 2]), 0.5);
    expect(first?.y).toBe(1);
    expect(second?.y).toBeCloseTo((0.5 * 1 + 2) / 1.5, 12);
  });

  test("weight 0 changes nothing", () => {
    expect(smooth(line([1, -5, 2]), 0)).toEqual(line([1, -5, 2]));
  });

  test("keeps a gap and goes on after it from what it knew", () => {
    const smoothed = smooth(line([1, Number.NaN, 1, Number.POSITIVE_INFINITY, 1]), 0.6);
    expect(smoothed.map(({ y }) => y)).toEqual([1, Number.NaN, 1, Number.NaN, 1]);
  });

  test("what was drawn never moves when values are added", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { maxLength: 40 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (past, future, weight) => {
          const before = smooth(line(past), weight);
          const after = smooth(line([...past, ...future]), weight);
          expect(after.slice(0, before.length)).toEqual(before);
        },
      ),
    );
  });
});

describe("thin", () => {
  test("leaves short lines alone", () => {
    expect(thin(line([1, 2, 3]), 300)).toEqual(line([1, 2, 3]));
  });

  test("stays within its limit, ends with the newest, and draws only points that it had", () => {
    for (const length of [300, 301, 777, 5000]) {
      const points = line(Array.from({ length }, (_, index) => (index % 7 === 3 ? Number.NaN : index)));
      const drawn = thin(points, 300);
      expect(drawn.length).toBeLessThanOrEqual(300);
      expect(drawn.at(-1)?.x).toBe(length - 1);
      expect(drawn.every((point) => points.includes(point))).toBe(true);
    }
  });

  test("a longer line draws a subset of the shorter line's points", () => {
    const all = line(Array.from({ length: 5000 }, (_, index) => index));
    const early = new Set(thin(all.slice(0, 1000), 300));
    const late = thin(all, 300).filter(({ x }) => x < 999);
    expect(late.every((point) => early.has(point))).toBe(true);
  });

  test("keeps a gap of one step among thousands", () => {
    const values = Array.from({ length: 5000 }, (_, index) => (index === 1234 ? Number.NaN : 1));
    expect(thin(line(values), 300).some(({ y }) => Number.isNaN(y))).toBe(true);
  });
});
