import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { geluGradientOp, geluOp } from "./gelu.ts";

describe("gelu", () => {
  it("gives the worked example", () => {
    const y = new Float64Array(3);
    geluOp.cpu([Float64Array.of(0, 1, -1)], [y], [[3]], { act: "gelu" });
    // Phi(1) = 0.8413447460685429.
    expect(y[0]).toBe(0);
    expect(y[1]).toBeCloseTo(0.8413447460685429, 14);
    expect(y[2]).toBeCloseTo(0.8413447460685429 - 1, 14);
  });

  it.each(["gelu", "geluTanh"] as const)("has the gradient of %s", async (act) => {
    const shape = [4, 5];
    const inputs = [{ values: randomValues(1, shape, 2), shape }];
    await checkGradient(geluOp, { inputs, attrs: { act }, wrt: ["x"] });
  });

  it("refuses a gradient of another shape", () => {
    expect(() => geluGradientOp.outputShapes([[2, 3], [6]], { act: "gelu" })).toThrow(/\[2, 3\] and \[6\]/);
  });
});
