import { describe, expect, it } from "vitest";
import { maskedOp } from "./masked.ts";

describe("masked", () => {
  it("keeps what a positive mask allows", () => {
    const kept = new Float64Array(5);
    const inputs = [Float64Array.of(1, -2, 3, NaN, 5), Float64Array.of(0.5, 7, 0, -1, NaN)];
    maskedOp.cpu(inputs, [kept], [[5], [5]], {});
    expect([...kept]).toEqual([1, -2, 0, 0, 0]);
  });

  it("refuses different shapes", () => {
    expect(() => maskedOp.outputShapes([[6], [2, 3]], {})).toThrow(/\[6\] and \[2, 3\]/);
  });
});
