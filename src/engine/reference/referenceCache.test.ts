import { describe, expect, it } from "vitest";
import { recordBytes, sparseFeatures } from "../sae/sparseFeatures.ts";
import { fingerprint, fingerprintInTurns } from "./fingerprint.ts";
import {
  bytesOf,
  createReferenceCache,
  onlyLogps,
  pairKey,
  meanFeatureBytes,
  referenceBytesPerPair,
  shippedRecords,
} from "./referenceCache.ts";

const pair = (prompt: number[], chosen: number[], rejected: number[]) => ({
  prompt: Int32Array.from(prompt),
  chosen: Int32Array.from(chosen),
  rejected: Int32Array.from(rejected),
  row: 0,
});

const logps = (chosen: number, rejected: number) => ({
  chosen: { sumLogps: chosen },
  rejected: { sumLogps: rejected },
});

const features = { width: 8, index: Uint16Array.of(2, 5, 7), values: Float32Array.of(1, 2, 3) };
const hidden = new Float32Array(12);
const full = {
  chosen: { sumLogps: -1, hidden, features },
  rejected: { sumLogps: -2, hidden: new Float32Array(8), features },
};

describe("createReferenceCache", () => {
  it("names each missing pair once and forgets none", () => {
    const cache = createReferenceCache();
    const first = pair([1], [2], [3]);
    const second = pair([1], [2], [4]);
    expect(cache.missing([first, second, pair([1], [2], [3])])).toHaveLength(2);
    cache.set(first, logps(-1, -2));
    expect(cache.missing([first, second])).toEqual([second]);
    expect(cache.get(pair([1], [2], [3]))).toEqual(logps(-1, -2));
  });

  it("misses a pair that lacks a part that is needed, on either side", () => {
    const cache = createReferenceCache();
    const known = pair([1], [2], [3]);
    cache.set(known, { chosen: full.chosen, rejected: { sumLogps: -2, features } });
    expect(cache.missing([known])).toEqual([]);
    expect(cache.missing([known], { hidden: false, features: true })).toEqual([]);
    expect(cache.missing([known], { hidden: true, features: false })).toEqual([known]);
    // What comes later adds to what is known.
    cache.set(known, { chosen: { sumLogps: -1 }, rejected: { sumLogps: -2, hidden } });
    expect(cache.missing([known], { hidden: true, features: true })).toEqual([]);
    expect(cache.get(known)?.chosen).toBe(cache.records().get(pairKey(known))?.chosen);
  });

  it("uses shipped numbers for the weights they belong to and for no others", () => {
    const known = pair([1, 2], [3], [4]);
    const shipped = { weights: "a", logps: { [pairKey(known)]: [-5, -6] as const } };
    const cache = createReferenceCache(shippedRecords(shipped, "a"));
    expect(cache.get(known)).toEqual(logps(-5, -6));
    expect(cache.missing([known], { hidden: true, features: false })).toEqual([known]);
    expect(createReferenceCache(shippedRecords(shipped, "b")).get(known)).toBeUndefined();
  });

  it("tells apart pairs whose tokens only divide differently", () => {
    const keys = [pair([1, 2], [3], [4]), pair([1], [2, 3], [4]), pair([1, 2], [3, 4], [])].map(pairKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("counts its bytes, and an estimate from the same sizes agrees", () => {
    const cache = createReferenceCache();
    cache.set(pair([1], [2], [3]), logps(-1, -2));
    cache.set(pair([1], [2], [4]), full);
    // 2 log-probs of 8 bytes, 20 hidden numbers of 4, 2 · 3 features of 2 + 4.
    expect(bytesOf(full)).toBe(16 + 80 + 36);
    expect(cache.bytes()).toBe(16 + bytesOf(full));
    const sizes = { tokens: 5, hiddenSize: 4, featureBytes: recordBytes(3, 8) };
    expect(referenceBytesPerPair({ hidden: true, features: true }, sizes)).toBe(bytesOf(full));
    expect(referenceBytesPerPair(onlyLogps, sizes)).toBe(16);
    expect([recordBytes(3, 100_000), recordBytes(6, 8)]).toEqual([3 * (4 + 4), 8 * 4]);
  });

  it("tells the bytes of the features of a mean answer among those that have some", () => {
    const cache = createReferenceCache();
    const pairs = [pair([1], [2], [3]), pair([1], [2], [4]), pair([1], [2], [5])];
    expect(meanFeatureBytes(cache, pairs)).toBeNull();
    cache.set(pairs[0]!, logps(-1, -2));
    expect(meanFeatureBytes(cache, pairs)).toBeNull();
    cache.set(pairs[1]!, full);
    const none = { sumLogps: -1, features: sparseFeatures(new Float32Array(8)) };
    cache.set(pairs[2]!, { chosen: none, rejected: none });
    // 18 bytes twice, and nothing twice.
    expect(meanFeatureBytes(cache, pairs)).toBe(9);
  });
});

describe("fingerprint", () => {
  it("changes with every single bit of a short text", () => {
    const bytes = new TextEncoder().encode("weights");
    const prints = new Set([fingerprint(bytes)]);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      prints.add(fingerprint(changed));
    }
    expect(prints.size).toBe(8 * bytes.length + 1);
  });

  it("is the same in turns, wherever the parts end", () => {
    const bytes = Uint8Array.from({ length: 2_500_000 }, (_, index) => index % 251);
    const turns = fingerprintInTurns([bytes.subarray(0, 7), new Uint8Array(), bytes.subarray(7)]);
    let count = 0;
    let next = turns.next();
    for (; next.done !== true; next = turns.next()) count += 1;
    expect(next.value).toBe(fingerprint(bytes));
    expect(count).toBeGreaterThan(2);
  });
});
