import type { Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { hasNativeHalf, run, zeros } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { isPackedWeight, isShardedWeight } from "../weightLayout/packedWeight.ts";
import type { ShardedWeight, Weight } from "../weightLayout/packedWeight.ts";
import { wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightBinding } from "../weightLayout/weightReader.wgsl.ts";
import type { WeightReader } from "../weightLayout/weightReader.wgsl.ts";
import { embeddingCpu, embeddingGradCpu, packedEmbeddingCpu, shardEmbeddingCpu } from "./embedding.cpu.ts";
import {
  embeddingGradWgsl,
  embeddingWgsl,
  embeddingWorkgroup,
  gradientColumns,
  packedEmbeddingWgsl,
  shardEmbeddingWgsl,
} from "./embedding.wgsl.ts";

/** Factor on the gathered rows: 1, or the square root of the hidden size in Gemma's models. */
export interface EmbeddingAttrs {
  readonly scale: number;
}

/** What a gather from packed rows needs to know of the table. */
export interface PackedEmbeddingAttrs extends EmbeddingAttrs {
  readonly layout: WeightLayout;
  readonly columns: number;
  readonly isNativeHalf: boolean;
}

/** The same of a shard of the table. */
export interface ShardEmbeddingAttrs extends PackedEmbeddingAttrs {
  /** Id of the shard's first row. */
  readonly first: number;
}

/** Rows of the table whose gradient is wanted. */
export interface EmbeddingGradAttrs extends EmbeddingAttrs {
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
  uniforms: { rows: "u32", columns: "u32", vocabulary: "u32", scale: "f32" },
  outputShapes: (shapes, { vocabulary }) => {
    const { rows, height, columns } = sizesOf(shapes);
    if (rows !== height) throw new ShapeError(`embeddingGrad: ${rows} ids for ${height} rows`);
    return [[vocabulary, columns]];
  },
  dispatch: (shapes, { vocabulary, scale }) => {
    const { rows, columns } = sizesOf(shapes);
    return {
      wgsl: embeddingGradWgsl,
      uniforms: { rows, columns, vocabulary, scale },
      workgroups: workgroupsFor(vocabulary * Math.ceil(columns / gradientColumns)),
    };
  },
  cpu: embeddingGradCpu,
};

/** Row gather: ids [rows] (i32), weight [vocabulary, columns] -> gathered [rows, columns]; ids outside give 0. */
export const embeddingOp: Op<EmbeddingAttrs> = {
  name: "embedding",
  inputs: () => [
    { name: "ids", type: "i32" },
    { name: "weight", type: "f32" },
  ],
  outputs: () => [{ name: "gathered", type: "f32" }],
  uniforms: { rows: "u32", columns: "u32", vocabulary: "u32", scale: "f32" },
  outputShapes: (shapes) => {
    const { rows, columns } = sizesOf(shapes);
    return [[rows, columns]];
  },
  dispatch: (shapes, { scale }) => {
    const { rows, height, columns } = sizesOf(shapes);
    return {
      wgsl: embeddingWgsl,
      uniforms: { rows, columns, vocabulary: height, scale },
      workgroups: workgroupsFor(rows * columns),
    };
  },
  cpu: embeddingCpu,
  gradient: (dys, inputs, _outputs, { scale }) => {
    const [ids, weight] = inputs as readonly [Tensor, Tensor];
    const vocabulary = weight.shape[0];
    return { weight: () => run(embeddingGradOp, [ids, dys[0]!], { vocabulary, scale })[0]! };
  },
};

function readerOf({ layout, columns, isNativeHalf }: PackedEmbeddingAttrs): WeightReader {
  return { name: "weight", layout, hasWholeQuads: columns % 4 === 0, isNativeHalf };
}

/**
 * Row gather from a packed table, which is frozen: ids [rows] (i32), weight [vocabulary, words] -> gathered
 * [rows, columns]; ids outside give 0.
 */
export const packedEmbeddingOp: Op<PackedEmbeddingAttrs> = {
  name: "packedEmbedding",
  inputs: (attrs) => [{ name: "ids", type: "i32" }, weightBinding(readerOf(attrs))],
  outputs: ({ columns }) => [{ name: "gathered", type: columns % 4 === 0 ? "vec4<f32>" : "f32" }],
  uniforms: { rows: "u32", vocabulary: "u32", scale: "f32" },
  outputShapes: (shapes, { layout, columns }) => {
    const { rows, columns: words } = sizesOf(shapes);
    if (words !== wordsPerRow(layout, columns)) {
      throw new ShapeError(
        `packedEmbedding: rows of ${words} words for ${columns} values in ${layout}, ${wordsPerRow(layout, columns)} are needed`,
      );
    }
    return [[rows, columns]];
  },
  dispatch: (shapes, attrs) => {
    const { rows, height } = sizesOf(shapes);
    return {
      wgsl: packedEmbeddingWgsl({ ...readerOf(attrs), inputs: attrs.columns }),
      uniforms: { rows, vocabulary: height, scale: attrs.scale },
      workgroups: workgroupsFor(rows * Math.ceil(attrs.columns / 4)),
    };
  },
  cpu: packedEmbeddingCpu,
};

/** Row gather from a shard of a packed table, in place: rows whose id lies elsewhere stay as they are. */
export const shardEmbeddingOp: Op<ShardEmbeddingAttrs> = {
  name: "shardEmbedding",
  inputs: (attrs) => [
    ...packedEmbeddingOp.inputs(attrs),
    { name: "gathered", type: attrs.columns % 4 === 0 ? "vec4<f32>" : "f32", isMutable: true },
  ],
  outputs: () => [],
  uniforms: { rows: "u32", vocabulary: "u32", first: "u32", scale: "f32" },
  outputShapes: (shapes, attrs) => {
    const [needed] = packedEmbeddingOp.outputShapes(shapes, attrs);
    const [, , gathered] = shapes;
    if (gathered?.join() !== needed?.join()) {
      throw new ShapeError(`shardEmbedding: rows [${gathered?.join(", ")}], not [${needed?.join(", ")}]`);
    }
    return [];
  },
  dispatch: (shapes, attrs) => {
    const { rows, height } = sizesOf(shapes);
    return {
      wgsl: shardEmbeddingWgsl({ ...readerOf(attrs), inputs: attrs.columns }),
      uniforms: { rows, vocabulary: height, first: attrs.first, scale: attrs.scale },
      workgroups: workgroupsFor(rows * Math.ceil(attrs.columns / 4)),
    };
  },
  cpu: shardEmbeddingCpu,
};

/**
 * Rows of a table by id, times `scale`: ids [rows] (int32), weight [vocabulary, columns] -> [rows, columns]. A packed
 * table passes no gradient, and neither does one in shards, which takes a dispatch for each.
 */
export function embedding(ids: Tensor, weight: Weight, scale = 1): Tensor {
  if (isShardedWeight(weight)) return gatherFromShards(ids, weight, scale);
  if (!isPackedWeight(weight)) return run(embeddingOp, [ids, weight], { scale })[0]!;
  const { layout, inputs: columns, words } = weight;
  const attrs = { layout, columns, scale, isNativeHalf: hasNativeHalf() };
  return run(packedEmbeddingOp, [ids, words], attrs)[0]!;
}

function gatherFromShards(ids: Tensor, { shards, inputs: columns }: ShardedWeight, scale: number): Tensor {
  const gathered = zeros([ids.size, columns]);
  let first = 0;
  for (const { words, layout, outputs } of shards) {
    const attrs = { layout, columns, scale, first, isNativeHalf: hasNativeHalf() };
    run(shardEmbeddingOp, [ids, words, gathered], attrs);
    first += outputs;
  }
  return gathered;
}
