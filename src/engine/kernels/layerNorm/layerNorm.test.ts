import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { layerNormOp } from "./layerNorm.ts";

describe("layerNorm", () => {
  it("gives the worked example", () => {
    const y = new Float64Array(4);
    const statistics = new Float64Array(4);
    const inputs = [Float64Array.of(1, 5, 7, 7), Float64Array.of(1, 2), Float64Array.of(10, 20)];
    layerNormOp.cpu(inputs, [y, statistics], [[2, 2], [2], [2]], { epsilon: 0.5 });
    // Row 0 has mean 3 and variance 4, row 1 mean 7 and none.
    const rstd = 1 / Math.sqrt(4.5);
    [10 - 2 * rstd, 20 + 4 * rstd, 10, 20].forEach((value, index) => expect(y[index]).toBeCloseTo(value, 12));
    [3, rstd, 7, Math.SQRT2].forEach((value, index) => expect(statistics[index]).toBeCloseTo(value, 12));
  });

  it.each([
    [1, 1],
    [3, 7],
    [5, 16],
  ])("has the gradients of x, gain and bias for [%i, %i]", async (rows, columns) => {
    await checkGradient(layerNormOp, {
      inputs: [
        { values: randomValues(1, [rows, columns]).map((value) => value + 1), shape: [rows, columns] },
        { values: randomValues(2, [columns]), shape: [columns] },
        { values: randomValues(3, [columns]), shape: [columns] },
      ],
      attrs: { epsilon: 1e-2 },
      outputs: [0],
      wrt: ["x", "gain", "bias"],
    });
  });

  it("refuses a gain or a bias of another width", () => {
    expect(() => layerNormOp.outputShapes([[2, 4], [5], [4]], { epsilon: 0 })).toThrow(/gain \[5\] for 4/);
    expect(() => layerNormOp.outputShapes([[2, 4], [4], [5]], { epsilon: 0 })).toThrow(/bias \[5\] for 4/);
  });
});
