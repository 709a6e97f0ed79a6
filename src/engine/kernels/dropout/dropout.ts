import type { Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { dropThreshold, dropoutCpu } from "./dropout.cpu.ts";
import { dropoutWgsl, dropoutWorkgroup } from "./dropout.wgsl.ts";

/** How much is dropped, and which mask: the same seed gives the same mask on every device. */
export interface DropoutAttrs {
  /** Share of the values that become 0, at least 0 and below 1. */
  readonly rate: number;
  /** 32-bit; make it differ by step, layer and module. */
  readonly seed: number;
}

function matrixSizes(shape: Shape | undefined): readonly [number, number] {
  const [rows, columns] = shape ?? [];
  if (rows === undefined || columns === undefined || shape?.length !== 2) {
    throw new ShapeError(`dropout needs a matrix, got [${shape?.join(", ")}]`);
  }
  return [rows, columns];
}

/** Keeps x [rows, columns] where the counter hash says so, scaled by 1 / (1 - rate); its gradient is itself. */
export const dropoutOp: Op<DropoutAttrs> = {
  name: "dropout",
  inputs: () => [{ name: "x", type: "f32" }],
  outputs: () => [{ name: "kept", type: "f32" }],
  uniforms: { rows: "u32", columns: "u32", seed: "u32", threshold: "u32", factor: "f32" },
  outputShapes: ([shape], { rate }) => {
    if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout rate ${rate} is not in [0, 1)`);
    return [matrixSizes(shape)];
  },
  dispatch: ([shape], { rate, seed }) => {
    const [rows, columns] = matrixSizes(shape);
    const uniforms = {
      rows,
      columns,
      seed: seed >>> 0,
      threshold: dropThreshold(rate),
      factor: 1 / (1 - rate),
    };
    return {
      wgsl: dropoutWgsl,
      uniforms,
      workgroups: foldedGrid(Math.ceil((rows * columns) / dropoutWorkgroup)),
    };
  },
  cpu: dropoutCpu,
  gradient: ([dy], _inputs, _outputs, attrs) => ({ x: () => run(dropoutOp, [dy!], attrs)[0]! }),
};

/** Dropout of x [rows, columns]; rate 0 returns x itself. Throws `RangeError` for a rate outside [0, 1). */
export function dropout(x: Tensor, attrs: DropoutAttrs): Tensor {
  return attrs.rate === 0 ? x : run(dropoutOp, [x], attrs)[0]!;
}
