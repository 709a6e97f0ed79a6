import { ShapeError } from "../../tensor/op.ts";
import { tensor } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { packRows, wordsPerRow } from "./weightLayout.ts";
import type { MatrixShape, WeightLayout } from "./weightLayout.ts";

/** A frozen matrix [outputs, inputs] on the device, in any layout. */
export interface PackedWeight {
  /** int32 [outputs, wordsPerRow]; for the layout `f32` float32 [outputs, inputs]. */
  readonly words: Tensor;
  readonly layout: WeightLayout;
  readonly outputs: number;
  readonly inputs: number;
}

/** A weight that is a plain float32 tensor [outputs, inputs], or a packed one. */
export type Weight = Tensor | PackedWeight;

/** Whether a weight is packed. */
export function isPackedWeight(weight: Weight): weight is PackedWeight {
  return "layout" in weight;
}

/** A weight as a packed one: a plain tensor is one of layout `f32`, and shares its contents. */
export function asPackedWeight(weight: Weight): PackedWeight {
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
