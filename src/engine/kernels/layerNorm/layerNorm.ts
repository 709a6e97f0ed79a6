import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { columnSum } from "../matmul/columnSum.ts";
import { columnReductionWgsl, reducedColumns } from "../matmul/columnSum.wgsl.ts";
import { layerNormCpu, layerNormDgCpu, layerNormDxCpu } from "./layerNorm.cpu.ts";
import { layerNormDxWgsl, layerNormRows, layerNormWgsl } from "./layerNorm.wgsl.ts";

/** `epsilon` is added to the variance. */
export interface LayerNormAttrs {
  readonly epsilon: number;
}

const floats = (name: string): Binding => ({ name, type: "f32" });

function matrixSizes(shape: Shape | undefined): readonly [number, number] {
  const [rows, columns] = shape ?? [];
  if (rows === undefined || columns === undefined || shape?.length !== 2) {
    throw new ShapeError(`layerNorm needs a matrix, got [${shape?.join(", ")}]`);
  }
  return [rows, columns];
}

const rowWorkgroups = (rows: number): readonly [number, number, number] =>
  foldedGrid(Math.ceil(rows / layerNormRows));

/**
 * dx = rstd (g dy - mean(g dy) - xh mean(g dy xh)) with xh = (x - mean) rstd: x [rows, columns], gain [columns],
 * statistics [rows, 2], dy -> dx.
 */
export const layerNormDxOp: Op = {
  name: "layerNormDx",
  inputs: () => ["x", "gain", "statistics", "dy"].map(floats),
  outputs: () => [floats("dx")],
  uniforms: { rows: "u32", columns: "u32" },
  outputShapes: ([x]) => [matrixSizes(x)],
  dispatch: ([x]) => {
    const [rows, columns] = matrixSizes(x);
    return { wgsl: layerNormDxWgsl, uniforms: { rows, columns }, workgroups: rowWorkgroups(rows) };
  },
  cpu: layerNormDxCpu,
};

/** dgain = sum over rows of dy xh: x [rows, columns], statistics [rows, 2], dy -> total [columns]. */
export const layerNormDgOp: Op = {
  name: "layerNormDg",
  inputs: () => ["x", "statistics", "dy"].map(floats),
  outputs: () => [floats("total")],
  uniforms: { rows: "u32", columns: "u32" },
  outputShapes: ([x]) => [[matrixSizes(x)[1]]],
  dispatch: ([x]) => {
    const [rows, columns] = matrixSizes(x);
    return {
      wgsl: columnReductionWgsl("dy[index] * (x[index] - statistics[2u * row]) * statistics[2u * row + 1u]"),
      uniforms: { rows, columns },
      workgroups: [Math.ceil(columns / reducedColumns), 1, 1],
    };
  },
  cpu: layerNormDgCpu,
};

/**
 * y = (x - mean) rstd gain + bias with rstd = 1 / sqrt(variance + epsilon): x [rows, columns], gain, bias [columns] ->
 * y, statistics [rows, 2] = mean and rstd.
 */
export const layerNormOp: Op<LayerNormAttrs> = {
  name: "layerNorm",
  inputs: () => ["x", "gain", "bias"].map(floats),
  outputs: () => ["y", "statistics"].map(floats),
  uniforms: { rows: "u32", columns: "u32", epsilon: "f32" },
  outputShapes: ([x, gain, bias]) => {
    const [rows, columns] = matrixSizes(x);
    for (const [name, shape] of Object.entries({ gain, bias })) {
      if (shape?.length !== 1 || shape[0] !== columns) {
        throw new ShapeError(`layerNorm: ${name} [${shape?.join(", ")}] for ${columns} columns`);
      }
    }
    return [
      [rows, columns],
      [rows, 2],
    ];
  },
  dispatch: ([x], { epsilon }) => {
    const [rows, columns] = matrixSizes(x);
    return { wgsl: layerNormWgsl, uniforms: { rows, columns, epsilon }, workgroups: rowWorkgroups(rows) };
  },
  cpu: layerNormCpu,
  gradient: (dys, inputs, outputs) => {
    const [x, gain] = inputs as readonly [Tensor, Tensor];
    const dy = dys[0]!;
    const statistics = outputs[1]!;
    return {
      x: () => run(layerNormDxOp, [x, gain, statistics, dy], {})[0]!,
      gain: () => run(layerNormDgOp, [x, statistics, dy], {})[0]!,
      bias: () => columnSum(dy),
    };
  },
};

/** Norm of every row by its mean and variance: x [rows, columns], gain, bias [columns] -> [rows, columns]. */
export function layerNorm(x: Tensor, parameters: { gain: Tensor; bias: Tensor; epsilon: number }): Tensor {
  const { gain, bias, epsilon } = parameters;
  return run(layerNormOp, [x, gain, bias], { epsilon })[0]!;
}
