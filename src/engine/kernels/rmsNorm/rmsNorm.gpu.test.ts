import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { rmsNormDgOp, rmsNormDxOp, rmsNormOp } from "./rmsNorm.ts";

describe("rmsNorm on WebGPU", () => {
  it.each([
    [1, 1],
    [3, 65],
    [37, 17],
    [640, 96],
    [5, 2048],
    [70_000, 2],
    [37, 16, 3],
    [5, 256, 4],
  ])("has the oracle's values and gradients for [%i, %i]", async (rows, columns, groups = 1) => {
    const shape = [rows, groups * columns];
    const matrix = (seed: number) => ({ values: randomValues(seed, shape), shape });
    const x = matrix(1);
    const dy = matrix(2);
    const gain = { values: randomValues(3, [columns]), shape: [columns] };
    const rstd = { values: randomValues(4, [rows * groups]).map(Math.abs), shape: [rows * groups] };
    const tolerance = 1e-5 * Math.sqrt(columns);
    await parity(rmsNormOp, { name: "rmsNorm", inputs: [x, gain], attrs: { epsilon: 1e-5 }, tolerance });
    await parity(rmsNormDxOp, {
      name: "rmsNormDx",
      inputs: [x, gain, rstd, dy],
      attrs: {},
      tolerance: 4 * tolerance,
    });
    await parity(rmsNormDgOp, {
      name: "rmsNormDg",
      inputs: [x, rstd, dy],
      attrs: {},
      tolerance: 4e-5 * Math.sqrt(rows * groups),
    });
  });
});
