import { describe, expect, it } from "vitest";
import { createRandom, permutation } from "./random.ts";

const DRAWS = 20_000;

function draws(draw: () => number): number[] {
  return Array.from({ length: DRAWS }, draw);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("createRandom", () => {
  it("repeats a stream and tells seeds and streams apart", () => {
    const first = (seed: number, stream?: number) => {
      const random = createRandom(seed, stream);
      return [random.float(), random.float(), random.float()];
    };
    expect(first(7)).toEqual(first(7));
    const starts = [first(0), first(1), first(2), first(0, 1), first(1, 1)].flat();
    expect(new Set(starts).size).toBe(starts.length);
  });

  it("is uniform: mean, spread, correlation of neighbours and of neighbouring seeds", () => {
    const random = createRandom(3);
    const values = draws(random.float);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(0.008);
    expect(mean(values.map((value) => (value - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    const neighbours = values.slice(1).map((value, i) => (value - 0.5) * ((values[i] ?? 0) - 0.5));
    expect(Math.abs(mean(neighbours))).toBeLessThan(0.003);
    const seeds = Array.from({ length: DRAWS }, (_, seed) => createRandom(seed).float());
    expect(Math.abs(mean(seeds) - 0.5)).toBeLessThan(0.01);
  });

  it("draws every whole number below the bound equally often", () => {
    const random = createRandom(5);
    const counts = Array.from({ length: 7 }, () => 0);
    for (let i = 0; i < DRAWS; i++) {
      const drawn = random.integer(7);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    expect(counts).toHaveLength(7);
    for (const count of counts) expect(Math.abs(count - DRAWS / 7)).toBeLessThan(250);
    expect(() => random.integer(0)).toThrow(RangeError);
    expect(() => random.integer(1.5)).toThrow(RangeError);
  });

  it("draws a standard normal and a shifted uniform", () => {
    const random = createRandom(11);
    const normals = draws(random.gaussian);
    expect(Math.abs(mean(normals))).toBeLessThan(0.03);
    expect(Math.abs(mean(normals.map((value) => value ** 2)) - 1)).toBeLessThan(0.05);
    const shifted = draws(() => random.uniform(-3, -1));
    expect(Math.min(...shifted)).toBeGreaterThanOrEqual(-3);
    expect(Math.max(...shifted)).toBeLessThan(-1);
    expect(Math.abs(mean(shifted) + 2)).toBeLessThan(0.02);
  });

  it("shuffles without losing anything", () => {
    const order = permutation(50, createRandom(1));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...order]).not.toEqual([...order].sort((a, b) => a - b));
    expect(permutation(50, createRandom(1))).toEqual(order);
    expect(permutation(0, createRandom(1))).toHaveLength(0);
  });
});
