import { describe, expect, it } from "vitest";
import { sigmoid, softplus } from "./softplus.ts";

describe("softplus", () => {
  it("is ln 2 at 0, x for large x and e^x for very negative x", () => {
    expect(softplus(0)).toBe(Math.LN2);
    expect(softplus(1000)).toBe(1000);
    expect(softplus(-1000)).toBe(0);
    for (const x of [-700, -40, -20]) expect(softplus(x) / Math.exp(x)).toBeCloseTo(1, 8);
  });

  it("keeps its relative precision where the series takes over", () => {
    // log1p(e) = e - e^2/2 + e^3/3 - e^4/4, summed to a term below rounding.
    for (const x of [-11.4, -11.5, -11.6, -13, -18]) {
      const e = Math.exp(x);
      const expected = e - e ** 2 / 2 + e ** 3 / 3 - e ** 4 / 4;
      expect(Math.abs(softplus(x) / expected - 1)).toBeLessThan(1e-15);
    }
  });

  it("has the sigmoid as its slope", () => {
    for (const x of [-30, -11.5, -3, 0, 0.5, 9, 30]) {
      const slope = (softplus(x + 1e-6) - softplus(x - 1e-6)) / 2e-6;
      expect(sigmoid(x)).toBeCloseTo(slope, 8);
    }
  });
});

describe("sigmoid", () => {
  it("never overflows and is symmetric", () => {
    expect(sigmoid(-1e6)).toBe(0);
    expect(sigmoid(1e6)).toBe(1);
    for (const x of [0, 0.3, 5, 40]) expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 14);
  });
});
