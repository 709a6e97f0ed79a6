import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cornerCounts,
  farthestOf,
  histogram,
  isoMargins,
  mapPixel,
  meansOf,
  pairAt,
  pairsByMargin,
  rangeFor,
} from "./PairMapGeometry.ts";

const probe = (rows: readonly (readonly [number, number])[]) => ({
  pairIndex: Int32Array.from(rows.keys()),
  chosenDelta: Float32Array.from(rows, ([chosen]) => chosen),
  rejectedDelta: Float32Array.from(rows, ([, rejected]) => rejected),
});

const corners = probe([
  [-1, -3],
  [2, 1],
  [3, -4],
  [-2, 2],
  [0, 0],
]);

test("pairs are ordered by margin, and one without a number is left out", () => {
  const pairs = pairsByMargin(
    probe([
      [1, 0],
      [Number.NaN, 0],
      [-1, 2],
      [5, Number.NEGATIVE_INFINITY],
      [0, 0],
    ]),
  );
  expect(pairs.map(({ pairIndex, margin }) => [pairIndex, margin])).toEqual([
    [2, -3],
    [4, 0],
    [0, 1],
  ]);
});

describe("the range", () => {
  test("grows in steps and holds every pair", () => {
    expect([0, 0.5, 1.5, 2.5, 4, 7, 9.5, 45].map((farthest) => rangeFor(farthest, 1))).toEqual([
      1, 1, 2, 3, 6, 8, 15, 60,
    ]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (farthest) => {
        expect(rangeFor(farthest, 1)).toBeGreaterThanOrEqual(farthest);
      }),
    );
  });

  test("does not follow small movements back, but a new start", () => {
    expect(rangeFor(3, 8)).toBe(8);
    expect(rangeFor(1, 8)).toBe(1.5);
    expect(rangeFor(0, 8)).toBe(1);
  });
});

test("lines of equal margin are round, symmetric and inside the map", () => {
  expect(isoMargins(5)).toEqual([-5, 5]);
  expect(isoMargins(10)).toEqual([-15, -10, -5, 5, 10, 15]);
  expect(isoMargins(1)).toEqual([-1.5, -1, -0.5, 0.5, 1, 1.5]);
});

test("corners, means and wins are counted", () => {
  const pairs = pairsByMargin(corners);
  expect(cornerCounts(pairs)).toEqual({ bothUp: 1, chosenUp: 1, bothDown: 1, rejectedUp: 1 });
  const untouched = { pairIndex: 0, chosenDelta: 1e-6, rejectedDelta: -1e-6, margin: 2e-6 };
  expect(cornerCounts([untouched])).toEqual({ bothUp: 0, chosenUp: 0, bothDown: 0, rejectedUp: 0 });
  const mirrored = { ...untouched, margin: -2e-6 };
  expect(meansOf([untouched, mirrored])).toMatchObject({ wins: 0, losses: 0 });
  const { chosenDelta, rejectedDelta, wins, losses } = meansOf(pairs);
  expect(chosenDelta).toBeCloseTo(0.4);
  expect(rejectedDelta).toBeCloseTo(-0.8);
  expect({ wins, losses }).toEqual({ wins: 3, losses: 1 });
  expect(farthestOf(pairs)).toBe(4);
  expect(meansOf([])).toEqual({ chosenDelta: 0, rejectedDelta: 0, wins: 0, losses: 0 });
});

test("the histogram counts every value once, those beyond the edge in the last bin", () => {
  expect(histogram([-9, -1, -0.1, 0.1, 1, 1, 9], 1, 4)).toEqual([2, 1, 1, 3]);
});

test("the pair under the pointer is the nearest one within reach", () => {
  const pairs = pairsByMargin(corners);
  const view = { range: 5, side: 100, reach: 12 };
  expect(mapPixel(0, 0, 5, 100)).toEqual({ x: 50, y: 50 });
  expect(mapPixel(5, 5, 5, 100)).toEqual({ x: 100, y: 0 });
  expect(pairAt(pairs, { x: 81, y: 89 }, view)?.pairIndex).toBe(2);
  expect(pairAt(pairs, { x: 99, y: 5 }, view)).toBeNull();
});
