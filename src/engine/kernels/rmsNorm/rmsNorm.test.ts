import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { rmsNormOp } from "./rmsNorm.ts";

describe("rmsNorm", () => {
  it("gives the worked example", () => {
    const y = new Float64Array(4);
    const rstd = new Float64Array(2);
    const inputs = [Float64Array.of(3, 4, 0, 0), Float64Array.of(1, 2)];
    rmsNormOp.cpu(inputs, [y, rstd], [[2, 2], [2]], { epsilon: 0.5 });
    const inverse = 1 / Math.sqrt(12.5 + 0.5);
    [3 * inverse, 8 * inverse, 0, 0].forEach((value, index) => expect(y[index]).toBeCloseTo(value, 12));
    expect(rstd[0]).toBeCloseTo(inverse, 12);
    expect(rstd[1]).toBeCloseTo(Math.SQRT2, 12);
  });

  it.each([
    [1, 1],
    [3, 7],
    [5, 16],
  ])("has the gradients of x and gain for [%i, %i]", async (rows, columns) => {
    await checkGradient(rmsNormOp, {
      inputs: [
        { values: randomValues(1, [rows, columns]), shape: [rows, columns] },
        { values: randomValues(2, [columns]), shape: [columns] },
      ],
      attrs: { epsilon: 1e-2 },
      outputs: [0],
      wrt: ["x", "gain"],
    });
  });

  it("refuses a gain of another width", () => {
    expect(() => rmsNormOp.outputShapes([[2, 4], [5]], { epsilon: 0 })).toThrow(/gain \[5\] for 4 columns/);
  });
});
