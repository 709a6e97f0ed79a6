/** What the operations of the head share: attributes, bindings, sizes, and arrays for the oracle. */
import type { Dispatch, Floats, Shape, Values } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { hasNativeHalf } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import type { PackedWeight, Weight } from "../weightLayout/packedWeight.ts";
import { unpackRow, wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightBinding } from "../weightLayout/weightReader.wgsl.ts";
import type { HeadArrays, HeadGradientArrays } from "./lmHeadLogProbs.cpu.ts";
import { statisticsWidth } from "./lmHeadLogProbs.cpu.ts";
import { blockSize } from "./head.wgsl.ts";

/** How a head runs. */
export interface HeadAttrs {
  readonly hasReference: boolean;
  /** Arrays are read four values at a time, which needs a hidden size that is a multiple of 4. */
  readonly vectorised: boolean;
  /** Layout of the weight; in all but `f32` it is frozen and takes no gradient. */
  readonly layout: WeightLayout;
  /** Shaders may use 16-bit floats. */
  readonly isNativeHalf: boolean;
  /** Logits are softCap * tanh(logit / softCap), as in Gemma 2; 0 leaves them alone. */
  readonly softCap: number;
}

/** Tensors of a head: `hidden` and `reference` [rows, hidden], `weight` [vocabulary, hidden], `labels` int32 [rows]. */
export interface HeadInputs {
  readonly hidden: Tensor;
  /** A packed one is frozen, and so is one in shards. */
  readonly weight: Weight;
  /** Token that each row predicts; a label outside the vocabulary (such as -1) marks a row that is not scored. */
  readonly labels: Tensor;
  /** Final hidden states of the reference model for the same rows, read through the same head weight. */
  readonly reference?: Tensor;
  /** Squashes the logits to within plus and minus this; 0 or nothing leaves them alone. */
  readonly softCap?: number;
  /** Vocabulary entries of one dispatch at most; as many as keep it short when left out. */
  readonly entriesAtOnce?: number;
}

/** Attributes of a head over `width` hidden values: a plain one unless the options say otherwise. */
export function headAttrs(width: number, options: Partial<Omit<HeadAttrs, "vectorised">> = {}): HeadAttrs {
  const plain = { hasReference: false, layout: "f32", isNativeHalf: false, softCap: 0 } as const;
  return { ...plain, ...options, vectorised: width % 4 === 0 };
}

/** Tensors in binding order, and the attributes that follow from them, over a weight or one shard of it. */
export function operandsOf(
  { hidden, labels, reference, softCap = 0 }: HeadInputs,
  { words, layout }: PackedWeight,
): { operands: Tensor[]; attrs: HeadAttrs } {
  const attrs = headAttrs(hidden.shape[1] ?? 0, {
    hasReference: reference !== undefined,
    layout,
    isNativeHalf: layout === "f16" && hasNativeHalf(),
    softCap,
  });
  return { operands: [hidden, words, labels, ...(reference ? [reference] : [])], attrs };
}

/** Bindings of every operation of the head. */
export function headBindings({ hasReference, vectorised, layout, isNativeHalf }: HeadAttrs) {
  const type = vectorised ? ("vec4<f32>" as const) : ("f32" as const);
  return [
    { name: "hidden", type },
    weightBinding({ name: "weight", layout, hasWholeQuads: vectorised, isNativeHalf }),
    { name: "labels", type: "i32" as const },
    ...(hasReference ? [{ name: "reference", type }] : []),
  ];
}

/** Bindings of the backward operations. */
export function backwardBindings(attrs: HeadAttrs) {
  return [
    ...headBindings(attrs),
    { name: "statistics", type: "f32" as const },
    { name: "upstream", type: "f32" as const },
  ];
}

/** Sizes of a head; `vocabulary` counts the rows of the weight, or of its shard. */
export interface HeadSizes {
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
}

function describe(shapes: readonly Shape[]): string {
  return shapes.map((shape) => `[${shape.join(", ")}]`).join(", ");
}

/** Sizes of a head; throws `ShapeError` when the shapes, in binding order, do not fit together. */
export function sizesOf(
  shapes: readonly Shape[],
  { hasReference, vectorised, layout }: HeadAttrs,
): HeadSizes {
  const [rows, width] = shapes[0] ?? [];
  const [vocabulary] = shapes[1] ?? [];
  if (!rows || !width || !vocabulary) throw new ShapeError(`a head cannot combine ${describe(shapes)}`);
  const words = wordsPerRow(layout, width);
  const needed = [[rows, width], [vocabulary, words], [rows], ...(hasReference ? [[rows, width]] : [])];
  if (describe(shapes.slice(0, needed.length)) !== describe(needed)) {
    throw new ShapeError(`a head cannot combine ${describe(shapes)}, it needs ${describe(needed)}`);
  }
  if (vectorised && width % 4 !== 0) {
    throw new ShapeError(`a vectorised head needs a hidden size that is a multiple of 4, not ${width}`);
  }
  return { rows, width, vocabulary };
}

/** Where the statistics and their gradients stand among the inputs of a backward operation. */
function upstreamPlace({ hasReference }: HeadAttrs): number {
  return hasReference ? 4 : 3;
}

/** Sizes for the backward operations, which also take the statistics and their gradients. */
export function backwardSizesOf(shapes: readonly Shape[], attrs: HeadAttrs): HeadSizes {
  const sizes = sizesOf(shapes, attrs);
  const place = upstreamPlace(attrs);
  for (const shape of [shapes[place] ?? [], shapes[place + 1] ?? []]) {
    if (shape[0] !== sizes.rows || shape[1] !== statisticsWidth) {
      throw new ShapeError(
        `head statistics are [${sizes.rows}, ${statisticsWidth}], not [${shape.join(", ")}]`,
      );
    }
  }
  return sizes;
}

/** Entries of the vocabulary among the rows of a weight; all of them, for the operations over a whole one. */
export interface EntryRange {
  /** Token of the weight's first row. */
  readonly first: number;
  /** Rows of the weight: from `start` to before `end`. */
  readonly start: number;
  readonly end: number;
  /** Tokens of the whole vocabulary. */
  readonly vocabulary: number;
}

/** Arrays of a head over a range of its vocabulary, or over all of it. */
export function headArrays(
  inputs: readonly Values[],
  { rows, width, vocabulary: height }: HeadSizes,
  attrs: HeadAttrs & Partial<EntryRange>,
): HeadArrays {
  const { hasReference, layout, softCap, first = 0, start = 0, end = height, vocabulary = height } = attrs;
  const [hidden, weight, labels, reference] = inputs;
  const count = end - start;
  let values = new Float32Array();
  if (layout !== "f32") {
    values = new Float32Array(count * width);
    for (let row = 0; row < count; row++)
      values.set(unpackRow(weight!, start + row, width, layout), row * width);
  }
  const base = {
    hidden: hidden as Floats,
    weight: layout === "f32" ? (weight as Floats).subarray(start * width, end * width) : values,
    labels: labels!,
    softCap,
    rows,
    width,
    vocabulary: count,
    firstEntry: first + start,
    totalVocabulary: vocabulary,
  };
  return hasReference ? { ...base, reference: reference as Floats } : base;
}

/** The same with the statistics and their gradients. */
export function gradientArrays(
  inputs: readonly Values[],
  shapes: readonly Shape[],
  attrs: HeadAttrs & Partial<EntryRange>,
): HeadGradientArrays {
  const place = upstreamPlace(attrs);
  return {
    ...headArrays(inputs, backwardSizesOf(shapes, attrs), attrs),
    statistics: inputs[place] as Floats,
    upstream: inputs[place + 1] as Floats,
  };
}

/** One workgroup for each block of `blocked` rows or entries. */
export function dispatchBlocks(
  wgsl: string,
  blocked: number,
  uniforms: Readonly<Record<string, number>>,
): Dispatch {
  return { wgsl, uniforms, workgroups: foldedGrid(Math.ceil(blocked / blockSize)) };
}
