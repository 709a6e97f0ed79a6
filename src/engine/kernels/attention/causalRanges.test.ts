import { expect, test } from "vitest";
import { causalRanges, type Segment } from "./causalRanges.ts";

interface Place {
  readonly segment: number;
  readonly branch: number;
  readonly position: number;
}

/** Segment, branch (0 is the prompt) and position of every row. */
function placesOf(segments: readonly Segment[]): Place[] {
  return segments.flatMap(({ prompt, branches }, segment) => [
    ...Array.from({ length: prompt }, (_, position) => ({ segment, branch: 0, position })),
    ...branches.flatMap((length, index) =>
      Array.from({ length }, (_, offset) => ({ segment, branch: index + 1, position: prompt + offset })),
    ),
  ]);
}

/** The rule, pair by pair: [rows, rows] of 0 and 1, how often row i sees row j. */
function maskOf(places: readonly Place[], window: number): number[][] {
  return places.map((own) =>
    places.map((key) =>
      key.segment === own.segment &&
      (key.branch === 0 || key.branch === own.branch) &&
      key.position <= own.position &&
      own.position - key.position < window
        ? 1
        : 0,
    ),
  );
}

/** How often the ranges of a row name each other row. */
function counted(ranges: Int32Array, rows: number, count: number): number[][] {
  expect(ranges.length).toBe(rows * 2 * count);
  return Array.from({ length: rows }, (_, row) => {
    const seen = Array.from({ length: rows }, () => 0);
    for (let list = 0; list < count; list++) {
      const at = 2 * (row * count + list);
      for (let other = ranges[at]!; other < ranges[at + 1]!; other++) seen[other]! += 1;
    }
    return seen;
  });
}

const mixtures: readonly (readonly Segment[])[] = [
  [{ prompt: 5, branches: [] }],
  [
    { prompt: 3, branches: [] },
    { prompt: 1, branches: [] },
  ],
  [{ prompt: 4, branches: [3, 2] }],
  [
    { prompt: 2, branches: [1, 5] },
    { prompt: 3, branches: [] },
    { prompt: 6, branches: [2, 2] },
  ],
  [
    { prompt: 3, branches: [2, 0, 4] },
    { prompt: 0, branches: [2, 3] },
    { prompt: 2, branches: [0, 1] },
  ],
];

test.each(mixtures.flatMap((segments) => [1, 2, 3, 7, undefined].map((window) => ({ segments, window }))))(
  "ranges equal the rule for $segments and a window of $window",
  ({ segments, window }) => {
    const places = placesOf(segments);
    const mask = maskOf(places, window ?? Number.POSITIVE_INFINITY);
    const tables = causalRanges(segments, window);
    const rows = places.length;
    expect(counted(tables.keyRanges, rows, tables.keyRangeCount)).toEqual(mask);
    const seenBy = mask.map((_, key) => mask.map((row) => row[key]));
    expect(counted(tables.queryRanges, rows, tables.queryRangeCount)).toEqual(seenBy);
    expect([...tables.positions]).toEqual(places.map(({ position }) => position));
  },
);

test("one range is enough for plain sequences, and two for a pair", () => {
  const plain = causalRanges([{ prompt: 3, branches: [] }]);
  expect([plain.keyRangeCount, plain.queryRangeCount]).toEqual([1, 1]);
  expect([...plain.keyRanges]).toEqual([0, 1, 0, 2, 0, 3]);
  expect([...plain.queryRanges]).toEqual([0, 3, 1, 3, 2, 3]);
  const pair = causalRanges([{ prompt: 2, branches: [1, 2] }]);
  expect([pair.keyRangeCount, pair.queryRangeCount]).toEqual([2, 2]);
  expect([...pair.keyRanges]).toEqual([0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, 3, 4, 0, 2, 3, 5]);
});
