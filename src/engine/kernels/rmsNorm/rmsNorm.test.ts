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

  it.each([
    [3, 2, 4],
    [2, 5, 3],
  ])("has the gradients of x and gain for %i rows of %i groups of %i", async (rows, groups, columns) => {
    const shape = [rows, groups * columns];
    await checkGradient(rmsNormOp, {
      inputs: [
        { values: randomValues(1, shape), shape },
        { values: randomValues(2, [columns]), shape: [columns] },
      ],
      attrs: { epsilon: 1e-2 },
      outputs: [0],
      wrt: ["x", "gain"],
    });
  });

  it("norms every group of a row as if it were a row", () => {
    const x = Float64Array.from(randomValues(1, [6, 4]));
    const gain = Float64Array.from(randomValues(2, [4]));
    const [byRow, byGroup] = [0, 1].map(() => [new Float64Array(24), new Float64Array(6)] as const);
    rmsNormOp.cpu([x, gain], byRow!, [[6, 4], [4]], { epsilon: 1e-6 });
    rmsNormOp.cpu([x, gain], byGroup!, [[2, 12], [4]], { epsilon: 1e-6 });
    expect(byGroup).toEqual(byRow);
    expect(rmsNormOp.outputShapes([[2, 12], [4]], { epsilon: 0 })).toEqual([[2, 12], [6]]);
  });

  it("refuses a gain of another width", () => {
    expect(() => rmsNormOp.outputShapes([[2, 4], [5]], { epsilon: 0 })).toThrow(/gain \[5\] for 4 columns/);
  });
});
