import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pooledSize } from "./bufferSize.ts";

const LARGEST = 2 ** 30;

describe("pooledSize", () => {
  it("holds the data, wastes at most a quarter above the smallest class and stays aligned", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 28 }), (size) => {
        const pooled = pooledSize(size, LARGEST);
        expect(pooled).toBeGreaterThanOrEqual(size);
        expect(pooled % 256).toBe(0);
        expect(pooled - size).toBeLessThanOrEqual(Math.max(256, size / 4));
      }),
    );
  });

  it("gives batches of nearly one size one class", () => {
    const classes = new Set(
      Array.from({ length: 60 }, (_, extra) => pooledSize((620 + extra) * 96 * 4, LARGEST)),
    );
    expect(classes.size).toBeLessThanOrEqual(2);
  });

  it("never asks for more than the device allows for the sake of a class", () => {
    expect(pooledSize(1000, 1000)).toBe(1000);
    expect(pooledSize(900, 1024)).toBe(1024);
  });
});
