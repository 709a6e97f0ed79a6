import { ShapeError } from "../../tensor/op.ts";
import { tensor } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { bytesPerRow, packRows, wordsPerRow } from "./weightLayout.ts";
import type { MatrixShape, WeightLayout } from "./weightLayout.ts";

/** A frozen matrix [outputs, inputs] on the device, in any layout. */
export interface PackedWeight {
  /** int32 [outputs, wordsPerRow]; for the layout `f32` float32 [outputs, inputs]. */
  readonly words: Tensor;
  readonly layout: WeightLayout;
  readonly outputs: number;
  readonly inputs: number;
}

/** A weight in one piece: a plain float32 tensor [outputs, inputs], or a packed one. */
export type WholeWeight = Tensor | PackedWeight;

/**
 * A frozen matrix [outputs, inputs] in ranges of rows, each no larger than the device can bind at once. Only matrices
 * with a row per token are ever stored so: the embedding and the head.
 */
export interface ShardedWeight {
  /** Packed alike; their rows follow one another. */
  readonly shards: readonly PackedWeight[];
  readonly outputs: number;
  readonly inputs: number;
}

/** A weight in one piece or in shards. */
export type Weight = WholeWeight | ShardedWeight;

/** Whether a weight is packed, in one piece. */
export function isPackedWeight(weight: Weight): weight is PackedWeight {
  return "layout" in weight;
}

/** Whether a weight is stored in shards. */
export function isShardedWeight(weight: Weight): weight is ShardedWeight {
  return "shards" in weight;
}

/** The tensors that hold a weight. */
export function tensorsOfWeight(weight: Weight): readonly Tensor[] {
  if (isShardedWeight(weight)) return weight.shards.map(({ words }) => words);
  return [isPackedWeight(weight) ? weight.words : weight];
}

/** [outputs, inputs] of a matrix, and the shape of any other plain tensor. */
export function shapeOfWeight(weight: Weight): readonly number[] {
  return isPackedWeight(weight) || isShardedWeight(weight) ? [weight.outputs, weight.inputs] : weight.shape;
}

/** A weight as packed matrices whose rows follow one another: its shards, or itself alone. */
export function piecesOf(weight: Weight): readonly PackedWeight[] {
  return isShardedWeight(weight) ? weight.shards : [asPackedWeight(weight)];
}

/** A weight as a packed one: a plain tensor is one of layout `f32`, and shares its contents. */
export function asPackedWeight(weight: WholeWeight): PackedWeight {
  if (isPackedWeight(weight)) return weight;
  const [outputs, inputs] = weight.shape;
  if (outputs === undefined || inputs === undefined || weight.shape.length !== 2) {
    throw new ShapeError(`a weight is a matrix, not [${weight.shape.join(", ")}]`);
  }
  return { words: weight, layout: "f32", outputs, inputs };
}

/** Puts packed words [outputs * wordsPerRow] on the device; throws `ShapeError` when their count is not the shape's. */
export function packedWeight(
  words: Uint32Array,
  [outputs, inputs]: MatrixShape,
  layout: WeightLayout,
): PackedWeight {
  if (layout === "f32") {
    const floats = new Float32Array(words.buffer as ArrayBuffer, words.byteOffset, words.length);
    return { words: tensor(floats, [outputs, inputs]), layout, outputs, inputs };
  }
  return { words: tensor(words, [outputs, wordsPerRow(layout, inputs)]), layout, outputs, inputs };
}

/** Packs values [outputs, inputs] and puts them on the device. */
export function packWeight(
  values: Float32Array | Float64Array,
  shape: MatrixShape,
  layout: WeightLayout,
): PackedWeight {
  return packedWeight(packRows(values, shape, layout), shape, layout);
}

/** Packs values [outputs, inputs] in as few shards as hold at most `largestBytes` each, of about the same size. */
export function packShards(
  values: Float32Array | Float64Array,
  [outputs, inputs]: MatrixShape,
  { layout, largestBytes }: { readonly layout: WeightLayout; readonly largestBytes: number },
): ShardedWeight {
  const rowsThatFit = Math.floor(largestBytes / bytesPerRow(layout, inputs));
  if (rowsThatFit < 1) {
    throw new RangeError(`a row of ${inputs} values in ${layout} takes more than ${largestBytes} bytes`);
  }
  const rows = Math.ceil(outputs / Math.ceil(outputs / rowsThatFit));
  const shards = [];
  for (let first = 0; first < outputs; first += rows) {
    const end = Math.min(first + rows, outputs);
    shards.push(packWeight(values.subarray(first * inputs, end * inputs), [end - first, inputs], layout));
  }
  return { shards, outputs, inputs };
}
