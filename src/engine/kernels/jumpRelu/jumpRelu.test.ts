import { describe, expect, it } from "vitest";
import { jumpReluOp } from "./jumpRelu.ts";

describe("jumpRelu", () => {
  it("leaves what is above 0 and its column's threshold, and no value that is none", () => {
    const values = Float64Array.of(1, 2, -0.5, 1.5, 3, -2, 0, NaN, 0.5);
    jumpReluOp.cpu([values, Float64Array.of(1, 2, -1)], [], [[3, 3], [3]], {});
    expect([...values]).toEqual([0, 0, 0, 1.5, 3, 0, 0, 0, 0.5]);
  });

  it("refuses thresholds of another width", () => {
    expect(() => jumpReluOp.outputShapes([[3, 3], [2]], {})).toThrow("[2] do not fit the columns of [3, 3]");
    expect(() => jumpReluOp.outputShapes([[3], [3]], {})).toThrow("columns of [3]");
  });
});
