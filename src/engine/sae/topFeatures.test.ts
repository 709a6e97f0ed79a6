import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sparseFeatures } from "./sparseFeatures.ts";
import { topFeatures, valueReader, widthOf } from "./topFeatures.ts";

describe("topFeatures", () => {
  it("takes the largest values, the lower index of equal ones, and never a zero", () => {
    const row = Float64Array.of(0, 2, 5, 2, 0, 2, 7);
    expect([...topFeatures(row, 3)]).toEqual([6, 2, 1]);
    expect([...topFeatures(row, 9)]).toEqual([6, 2, 1, 3, 5]);
    expect([...topFeatures(new Float32Array(4), 2)]).toEqual([]);
  });

  it("looks at a block of the row alone", () => {
    const row = Float64Array.of(9, 2, 0, 2, 5, 8);
    for (const of of [row, sparseFeatures(row)]) {
      expect([...topFeatures(of, 2, { first: 1, end: 4 })]).toEqual([1, 3]);
      expect([...topFeatures(of, 3, { first: 2, end: 6 })]).toEqual([5, 4, 3]);
      expect([...topFeatures(of, 3, { first: 2, end: 3 })]).toEqual([]);
    }
  });

  it("is what sorting the whole row gives, of a row and of its record", () => {
    const rows = fc.array(fc.constantFrom(-1, 0, 0, 0, 0.5, 1, 2, 3, 4, Number.NaN), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), (values, count) => {
        const row = Float32Array.from(values);
        const sorted = [...row.keys()].filter((i) => row[i]! > 0).sort((a, b) => row[b]! - row[a]! || a - b);
        expect([...topFeatures(row, count)]).toEqual(sorted.slice(0, count));
        expect([...topFeatures(sparseFeatures(row), count)]).toEqual(sorted.slice(0, count));
      }),
      { seed: 1 },
    );
  });
});

describe("valueReader", () => {
  it("gives every value of a row, of its sparse and of its dense record", () => {
    for (const row of [Float32Array.of(0, 1, 0, 0, 0, 3, 0), Float32Array.of(1, 2, 3)]) {
      const record = sparseFeatures(row);
      expect([...row.keys()].map(valueReader(record))).toEqual([...row]);
      expect([...row.keys()].map(valueReader(row))).toEqual([...row]);
      expect(widthOf(record)).toBe(row.length);
    }
  });
});
