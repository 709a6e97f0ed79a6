import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { layerNormCpu } from "./layerNorm.cpu.ts";
import { layerNormDgOp, layerNormDxOp, layerNormOp } from "./layerNorm.ts";

describe("layerNorm on WebGPU", () => {
  it.each([
    [1, 1],
    [3, 65],
    [37, 17],
    [640, 96],
    [65, 576],
    [5, 2048],
    [70_000, 2],
    [530_000, 1], // more workgroups than one axis holds
  ])("has the oracle's values and gradients for [%i, %i]", async (rows, columns) => {
    const matrix = (seed: number) => ({
      values: randomValues(seed, [rows, columns]).map((value) => value + 0.5),
      shape: [rows, columns],
    });
    const [x, dy] = [matrix(1), matrix(2)];
    const gain = { values: randomValues(3, [columns]), shape: [columns] };
    const bias = { values: randomValues(4, [columns]), shape: [columns] };
    const tolerance = 1e-5 * Math.sqrt(columns);
    const epsilon = 1e-2;
    await parity(layerNormOp, { name: "layerNorm", inputs: [x, gain, bias], attrs: { epsilon }, tolerance });
    const statistics = { values: new Float32Array(2 * rows), shape: [rows, 2] };
    const y = new Float32Array(rows * columns);
    layerNormCpu([x.values, gain.values, bias.values], [y, statistics.values], [x.shape], { epsilon });
    await parity(layerNormDxOp, {
      name: "layerNormDx",
      inputs: [x, gain, statistics, dy],
      attrs: {},
      tolerance: 4 * tolerance,
    });
    await parity(layerNormDgOp, {
      name: "layerNormDg",
      inputs: [x, statistics, dy],
      attrs: {},
      tolerance: 4e-5 * Math.sqrt(rows),
    });
  });
});
