import type { Floats, Op, Shape, Values } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { columnReductionWgsl, reducedColumns } from "./columnSum.wgsl.ts";

function matrixSizes(shape: Shape | undefined): readonly [number, number] {
  const [rows, columns] = shape ?? [];
  if (rows === undefined || columns === undefined || shape?.length !== 2) {
    throw new ShapeError(`columnSum needs a matrix, got [${shape?.join(", ")}]`);
  }
  return [rows, columns];
}

/** Oracle of `columnSum`: matrix [rows, columns] -> total [columns]. */
export function columnSumCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
): void {
  const [rows, columns] = matrixSizes(shapes[0]);
  const [matrix] = inputs as readonly [Values];
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += matrix[row * columns + column]!;
    outputs[0]![column] = sum;
  }
}

/** Sum over the rows, the gradient of a bias: matrix [rows, columns] -> total [columns]. */
export const columnSumOp: Op = {
  name: "columnSum",
  inputs: () => [{ name: "matrix", type: "f32" }],
  outputs: () => [{ name: "total", type: "f32" }],
  uniforms: { rows: "u32", columns: "u32" },
  outputShapes: ([shape]) => [[matrixSizes(shape)[1]]],
  dispatch: ([shape]) => {
    const [rows, columns] = matrixSizes(shape);
    return {
      wgsl: columnReductionWgsl("matrix[index]"),
      uniforms: { rows, columns },
      workgroups: [Math.ceil(columns / reducedColumns), 1, 1],
    };
  },
  cpu: columnSumCpu,
};

/** Sum over the rows of a matrix: [rows, columns] -> [columns]. */
export function columnSum(matrix: Tensor): Tensor {
  return run(columnSumOp, [matrix], {})[0]!;
}
