import type { Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { embeddingCpu, embeddingGradCpu } from "./embedding.cpu.ts";
import { embeddingGradWgsl, embeddingWgsl, embeddingWorkgroup, gradientColumns } from "./embedding.wgsl.ts";

/** Rows of the table whose gradient is wanted. */
export interface EmbeddingGradAttrs {
  readonly vocabulary: number;
}

interface Sizes {
  readonly rows: number;
  readonly height: number;
  readonly columns: number;
}

/** Sizes of ids [rows] and a matrix [height, columns]. */
function sizesOf([ids, matrix]: readonly Shape[]): Sizes {
  const [rows] = ids ?? [];
  const [height, columns] = matrix ?? [];
  if (rows === undefined || ids?.length !== 1 || height === undefined || columns === undefined) {
    throw new ShapeError(
      `embedding needs ids [rows] and a matrix, got [${ids?.join(", ")}], [${matrix?.join(", ")}]`,
    );
  }
  return { rows, height, columns };
}

function workgroupsFor(invocations: number): readonly [number, number, number] {
  return foldedGrid(Math.ceil(invocations / embeddingWorkgroup));
}

/** Gradient of the table: ids [rows] (i32), dy [rows, columns] -> dweight [vocabulary, columns]. */
export const embeddingGradOp: Op<EmbeddingGradAttrs> = {
  name: "embeddingGrad",
  inputs: () => [
    { name: "ids", type: "i32" },
    { name: "dy", type: "f32" },
  ],
  outputs: () => [{ name: "dweight", type: "f32" }],
  uniforms: { rows: "u32", columns: "u32", vocabulary: "u32" },
  outputShapes: (shapes, { vocabulary }) => {
    const { rows, height, columns } = sizesOf(shapes);
    if (rows !== height) throw new ShapeError(`embeddingGrad: ${rows} ids for ${height} rows`);
    return [[vocabulary, columns]];
  },
  dispatch: (shapes, { vocabulary }) => {
    const { rows, columns } = sizesOf(shapes);
    return {
      wgsl: embeddingGradWgsl,
      uniforms: { rows, columns, vocabulary },
      workgroups: workgroupsFor(vocabulary * Math.ceil(columns / gradientColumns)),
    };
  },
  cpu: embeddingGradCpu,
};

/** Row gather: ids [rows] (i32), weight [vocabulary, columns] -> gathered [rows, columns]; ids outside give 0. */
export const embeddingOp: Op = {
  name: "embedding",
  inputs: () => [
    { name: "ids", type: "i32" },
    { name: "weight", type: "f32" },
  ],
  outputs: () => [{ name: "gathered", type: "f32" }],
  uniforms: { rows: "u32", columns: "u32", vocabulary: "u32" },
  outputShapes: (shapes) => {
    const { rows, columns } = sizesOf(shapes);
    return [[rows, columns]];
  },
  dispatch: (shapes) => {
    const { rows, height, columns } = sizesOf(shapes);
    return {
      wgsl: embeddingWgsl,
      uniforms: { rows, columns, vocabulary: height },
      workgroups: workgroupsFor(rows * columns),
    };
  },
  cpu: embeddingCpu,
  gradient: (dys, inputs) => {
    const [ids, weight] = inputs as readonly [Tensor, Tensor];
    const vocabulary = weight.shape[0];
    return { weight: () => run(embeddingGradOp, [ids, dys[0]!], { vocabulary })[0]! };
  },
};

/** Rows of a table by id: ids [rows] (int32), weight [vocabulary, columns] -> [rows, columns]. */
export function embedding(ids: Tensor, weight: Tensor): Tensor {
  return run(embeddingOp, [ids, weight], {})[0]!;
}
