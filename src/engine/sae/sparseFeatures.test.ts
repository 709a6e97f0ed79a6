import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeSparseFeatures,
  denseFeatures,
  encodeSparseFeatures,
  sparseFeatureBytes,
  sparseFeatures,
} from "./sparseFeatures.ts";

const row = (width: number, entries: Readonly<Record<number, number>>): Float32Array =>
  Float32Array.from({ length: width }, (_, feature) => entries[feature] ?? 0);

describe("a record of features", () => {
  it("lists what is not zero, with indices of two bytes up to 65,536 features", () => {
    const record = sparseFeatures(row(65_536, { 3: 1.5, 65_535: 0.25 }));
    expect(record).toEqual({
      width: 65_536,
      index: Uint16Array.of(3, 65_535),
      values: Float32Array.of(1.5, 0.25),
    });
    expect(sparseFeatureBytes(record)).toBe(12 + 2 * (4 + 2));
    expect(sparseFeatures(row(65_537, { 65_536: 1 })).index).toEqual(Uint32Array.of(65_536));
  });

  it("is dense where that is not larger: at two thirds of the values with short indices", () => {
    const filled = (count: number) => Float32Array.from({ length: 6 }, (_, i) => (i < count ? 1 : 0));
    expect(sparseFeatures(filled(3)).index).toEqual(Uint16Array.of(0, 1, 2));
    expect(sparseFeatures(filled(4)).index).toBeNull();
    expect(sparseFeatureBytes(sparseFeatures(filled(6)))).toBe(12 + 6 * 4);
  });

  it.each([40, 70_000])("comes back exactly from its bytes, of %i features", (width) => {
    const entries = fc.dictionary(fc.nat(width - 1).map(String), fc.float());
    fc.assert(
      fc.property(entries, fc.boolean(), (values, isShifted) => {
        const original = row(width, values);
        const record = sparseFeatures(original);
        const bytes = encodeSparseFeatures(record);
        expect(bytes.length).toBe(sparseFeatureBytes(record));
        const shifted = new Uint8Array([1, ...bytes]).subarray(1);
        const decoded = decodeSparseFeatures(isShifted ? shifted : bytes);
        expect([decoded.width, decoded.index?.length]).toEqual([width, record.index?.length]);
        const dense = denseFeatures(decoded);
        // Comparing so many numbers one by one inside an expectation takes seconds.
        expect(dense.length === width && dense.every((value, i) => Object.is(value, original[i]))).toBe(true);
      }),
      { seed: 1, numRuns: width > 1000 ? 10 : 100 },
    );
  });

  it("refuses bytes that cannot be one", () => {
    const bytes = encodeSparseFeatures(sparseFeatures(row(40, { 3: 1, 7: 2 })));
    expect(() => decodeSparseFeatures(bytes.subarray(0, 8))).toThrow("at least 12 bytes, not 8");
    expect(() => decodeSparseFeatures(bytes.subarray(0, 20))).toThrow("has 24 bytes, and this one has 20");
    const changed = (at: number, byte: number) => bytes.map((each, place) => (place === at ? byte : each));
    expect(() => decodeSparseFeatures(changed(8, 1))).toThrow("2 of 40 features");
    expect(() => decodeSparseFeatures(changed(0, 7))).toThrow("feature 7 out of order");
    expect(() => decodeSparseFeatures(changed(22, 3))).toThrow("feature 3 out of order");
  });
});
