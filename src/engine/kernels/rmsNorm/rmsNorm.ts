import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { columnReductionWgsl, reducedColumns } from "../matmul/columnSum.wgsl.ts";
import { rmsNormCpu, rmsNormDgCpu, rmsNormDxCpu } from "./rmsNorm.cpu.ts";
import { normRows, rmsNormDxWgsl, rmsNormWgsl } from "./rmsNorm.wgsl.ts";

/** `epsilon` is added to the mean square. */
export interface RmsNormAttrs {
  readonly epsilon: number;
}

const floats = (name: string): Binding => ({ name, type: "f32" });

function matrixSizes(shape: Shape | undefined): readonly [number, number] {
  const [rows, columns] = shape ?? [];
  if (rows === undefined || columns === undefined || shape?.length !== 2) {
    throw new ShapeError(`rmsNorm needs a matrix, got [${shape?.join(", ")}]`);
  }
  return [rows, columns];
}

/** Groups and their width in x [rows, groupsPerRow * columns], from the gain [columns]. */
function groupSizes(x: Shape | undefined, gain: Shape | undefined): readonly [number, number] {
  const [rows, width] = matrixSizes(x);
  const [columns] = gain ?? [];
  if (gain?.length !== 1 || columns === undefined || width % columns !== 0) {
    throw new ShapeError(`rmsNorm: gain [${gain?.join(", ")}] for ${width} columns`);
  }
  return [(rows * width) / columns, columns];
}

/** The same from what is saved of every group: [groups]. */
function savedSizes(x: Shape | undefined, rstd: Shape | undefined): readonly [number, number] {
  const [rows, width] = matrixSizes(x);
  const [groups] = rstd ?? [];
  if (rstd?.length !== 1 || groups === undefined || (rows * width) % groups !== 0) {
    throw new ShapeError(`rmsNorm: rstd [${rstd?.join(", ")}] for [${rows}, ${width}]`);
  }
  return [groups, (rows * width) / groups];
}

const rowWorkgroups = (rows: number): readonly [number, number, number] =>
  foldedGrid(Math.ceil(rows / normRows));

/** dx = rstd (gain dy - x rstd^2 mean(gain dy x)): x, dy of `rmsNorm`, gain, rstd [groups] -> dx. */
export const rmsNormDxOp: Op = {
  name: "rmsNormDx",
  inputs: () => ["x", "gain", "rstd", "dy"].map(floats),
  outputs: () => [floats("dx")],
  uniforms: { rows: "u32", columns: "u32" },
  outputShapes: ([x]) => [matrixSizes(x)],
  dispatch: ([x, gain]) => {
    const [rows, columns] = groupSizes(x, gain);
    return { wgsl: rmsNormDxWgsl, uniforms: { rows, columns }, workgroups: rowWorkgroups(rows) };
  },
  cpu: rmsNormDxCpu,
};

/** dgain = sum over groups of dy x rstd: x, dy of `rmsNorm`, rstd [groups] -> total [columns]. */
export const rmsNormDgOp: Op = {
  name: "rmsNormDg",
  inputs: () => ["x", "rstd", "dy"].map(floats),
  outputs: () => [floats("total")],
  uniforms: { rows: "u32", columns: "u32" },
  outputShapes: ([x, rstd]) => [[savedSizes(x, rstd)[1]]],
  dispatch: ([x, rstd]) => {
    const [rows, columns] = savedSizes(x, rstd);
    return {
      wgsl: columnReductionWgsl("dy[index] * x[index] * rstd[row]"),
      uniforms: { rows, columns },
      workgroups: [Math.ceil(columns / reducedColumns), 1, 1],
    };
  },
  cpu: rmsNormDgCpu,
};

/**
 * y = x rstd gain with rstd = 1 / sqrt(mean(x^2) + epsilon) of every group of `columns` values of a row, such as the
 * heads: x [rows, width], gain [columns], a divisor of the width -> y [rows, width], rstd [groups].
 */
export const rmsNormOp: Op<RmsNormAttrs> = {
  name: "rmsNorm",
  inputs: () => ["x", "gain"].map(floats),
  outputs: () => ["y", "rstd"].map(floats),
  uniforms: { rows: "u32", columns: "u32", epsilon: "f32" },
  outputShapes: ([x, gain]) => {
    const [groups] = groupSizes(x, gain);
    return [matrixSizes(x), [groups]];
  },
  dispatch: ([x, gain], { epsilon }) => {
    const [rows, columns] = groupSizes(x, gain);
    return { wgsl: rmsNormWgsl, uniforms: { rows, columns, epsilon }, workgroups: rowWorkgroups(rows) };
  },
  cpu: rmsNormCpu,
  gradient: (dys, inputs, outputs) => {
    const [x, gain] = inputs as readonly [Tensor, Tensor];
    const dy = dys[0]!;
    const rstd = outputs[1]!;
    return {
      x: () => run(rmsNormDxOp, [x, gain, rstd, dy], {})[0]!,
      gain: () => run(rmsNormDgOp, [x, rstd, dy], {})[0]!,
    };
  },
};

/** Root-mean-square norm of every row, or of every group of it: x [rows, width], gain [columns] -> [rows, width]. */
export function rmsNorm(x: Tensor, gain: Tensor, epsilon: number): Tensor {
  return run(rmsNormOp, [x, gain], { epsilon })[0]!;
}
