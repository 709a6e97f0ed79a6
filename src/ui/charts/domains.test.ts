import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitPlaces, fitValues, spreadLabels } from "./domains.ts";

const line = (values: readonly number[]) => values.map((y, x) => ({ x, y }));

describe("fitValues", () => {
  test("leaves 8 % free above and below", () => {
    const range = fitValues([line([0, 100])], [0, 10], "linear");
    expect(range?.[0]).toBeCloseTo(-8, 9);
    expect(range?.[1]).toBeCloseTo(108, 9);
  });

  test("shows a spike and ignores what is not finite or not visible", () => {
    const values = [1, 1, 50, Number.NaN, Number.POSITIVE_INFINITY, 1];
    expect(fitValues([line(values)], [0, 5], "linear")?.[1]).toBeGreaterThan(50);
    expect(fitValues([line(values)], [3, 5], "linear")?.[1]).toBeLessThan(2);
    expect(fitValues([line([Number.NaN])], [0, 5], "linear")).toBeNull();
  });

  test("gives a flat line room, also at 0", () => {
    expect(fitValues([line([2, 2])], [0, 5], "linear")).toEqual([1.8, 2.2]);
    const [lowest, highest] = fitValues([line([0])], [0, 5], "symlog") ?? [0, 0];
    expect(lowest).toBeLessThan(0);
    expect(highest).toBeGreaterThan(0);
  });
});

test("places start at 0 with the run and have a shortest length", () => {
  expect(fitPlaces([line([1, 2, 3]).slice(1)], 10)).toEqual([0, 10]);
  expect(fitPlaces([[{ x: 40, y: 1 }], [{ x: 90, y: 1 }]], 10)).toEqual([40, 90]);
  expect(fitPlaces([], 10)).toEqual([0, 10]);
});

test("labels never overlap, stay inside and keep their order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 150, noNaN: true }), { minLength: 1, maxLength: 6 }),
      (wishes) => {
        const places = spreadLabels(wishes, 16, [0, 150]);
        const sorted = [...places].sort((a, b) => a - b);
        for (let index = 1; index < sorted.length; index++) {
          expect((sorted[index] ?? 0) - (sorted[index - 1] ?? 0)).toBeGreaterThanOrEqual(16 - 1e-9);
        }
        expect(sorted[0]).toBeGreaterThanOrEqual(0);
        expect(sorted.at(-1)).toBeLessThanOrEqual(150);
        const byWish = wishes.map((wish, index) => ({ wish, place: places[index] ?? 0 }));
        const inOrder = byWish.toSorted((a, b) => a.wish - b.wish || a.place - b.place);
        expect(inOrder.map(({ place }) => place)).toEqual(sorted);
      },
    ),
  );
  expect(spreadLabels([10, 100], 16, [0, 150])).toEqual([10, 100]);
});
