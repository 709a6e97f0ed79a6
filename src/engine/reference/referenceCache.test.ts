import { describe, expect, it } from "vitest";
import { fingerprint } from "./fingerprint.ts";
import { createReferenceCache, pairKey } from "./referenceCache.ts";

const pair = (prompt: number[], chosen: number[], rejected: number[]) => ({
  prompt: Int32Array.from(prompt),
  chosen: Int32Array.from(chosen),
  rejected: Int32Array.from(rejected),
  row: 0,
});

describe("createReferenceCache", () => {
  it("names each missing pair once and forgets none", () => {
    const cache = createReferenceCache();
    const first = pair([1], [2], [3]);
    const second = pair([1], [2], [4]);
    expect(cache.missing([first, second, pair([1], [2], [3])])).toHaveLength(2);
    cache.set(first, { chosen: -1, rejected: -2 });
    expect(cache.missing([first, second])).toEqual([second]);
    expect(cache.get(pair([1], [2], [3]))).toEqual({ chosen: -1, rejected: -2 });
  });

  it("uses shipped numbers for the weights they belong to and for no others", () => {
    const known = pair([1, 2], [3], [4]);
    const shipped = { weights: "a", logps: { [pairKey(known)]: [-5, -6] as const } };
    expect(createReferenceCache(shipped, "a").get(known)).toEqual({ chosen: -5, rejected: -6 });
    expect(createReferenceCache(shipped, "b").get(known)).toBeUndefined();
  });

  it("tells apart pairs whose tokens only divide differently", () => {
    const keys = [pair([1, 2], [3], [4]), pair([1], [2, 3], [4]), pair([1, 2], [3, 4], [])].map(pairKey);
    expect(new Set(keys).size).toBe(keys.length);
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
});
