import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchTop, positiveLimit, rowTop } from "./selectTop.ts";

describe("positiveLimit", () => {
  it("is the value that sorting gives", () => {
    const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 70 }), (some, count) => {
        const sorted = some.filter((value) => value > 0).sort((a, b) => b - a);
        const expected = sorted[Math.min(count, sorted.length) - 1] ?? Number.POSITIVE_INFINITY;
        expect(positiveLimit(some, count)).toBe(expected);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("batchTop", () => {
  it("keeps the largest of the whole batch, however they are spread over its rows", () => {
    expect([...batchTop([5, 1, 4, -1, 3, 0.5], 3)]).toEqual([5, 0, 4, 0, 3, 0]);
  });

  it("keeps no more than what is positive, and equals of the least", () => {
    expect([...batchTop([2, 0, -3, 1], 4)]).toEqual([2, 0, 0, 1]);
    expect([...batchTop([2, 1, 1, 0.5], 2)]).toEqual([2, 1, 1, 0]);
    expect([...batchTop([-1, 0], 1)]).toEqual([0, 0]);
  });
});

describe("rowTop", () => {
  it("keeps the largest of some features in every row", () => {
    const pre = [9, 1, 2, 3, /* */ 9, 5, -1, 4];
    expect([...rowTop(pre, 4, { features: [1, 2, 3], count: 2 })]).toEqual([0, 0, 2, 3, 0, 5, 0, 4]);
    expect([...rowTop(pre, 4, { features: [2], count: 2 })]).toEqual([0, 0, 2, 0, 0, 0, 0, 0]);
  });
});
