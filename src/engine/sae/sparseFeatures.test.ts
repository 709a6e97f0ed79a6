import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sparseFeatures } from "./sparseFeatures.ts";
import { valueReader } from "./topFeatures.ts";

const row = (width: number, entries: Readonly<Record<number, number>>): Float32Array =>
  Float32Array.from({ length: width }, (_, feature) => entries[feature] ?? 0);

describe("a record of features", () => {
  it("lists what is not zero, with indices of two bytes up to 65,536 features", () => {
    expect(sparseFeatures(row(65_536, { 3: 1.5, 65_535: 0.25 }))).toEqual({
      width: 65_536,
      index: Uint16Array.of(3, 65_535),
      values: Float32Array.of(1.5, 0.25),
    });
    expect(sparseFeatures(row(65_537, { 65_536: 1 })).index).toEqual(Uint32Array.of(65_536));
  });

  it("is dense where that is not larger: at two thirds of the values with short indices", () => {
    const filled = (count: number) => Float32Array.from({ length: 6 }, (_, i) => (i < count ? 1 : 0));
    expect(sparseFeatures(filled(3)).index).toEqual(Uint16Array.of(0, 1, 2));
    expect(sparseFeatures(filled(4)).index).toBeNull();
  });

  it.each([40, 70_000])("has every value of a row, of %i features", (width) => {
    const entries = fc.dictionary(fc.nat(width - 1).map(String), fc.float());
    fc.assert(
      fc.property(entries, (values) => {
        const original = row(width, values);
        const valueAt = valueReader(sparseFeatures(original));
        // Comparing so many numbers one by one inside an expectation takes seconds.
        expect(original.every((value, feature) => Object.is(valueAt(feature), value))).toBe(true);
      }),
      { seed: 1, numRuns: width > 1000 ? 10 : 100 },
    );
  });
});
