import type { Binding, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { totalRank } from "../groupLinear/groupLinear.ts";
import type { GroupAdapter, Segment } from "../groupLinear/groupLinear.ts";
import { loraGradientCpu } from "./loraGradient.cpu.ts";
import { loraGradientWgsl, tilesOf, workgroupOf } from "./loraGradient.wgsl.ts";
import type { LoraGradientVariant } from "./loraGradient.wgsl.ts";

/** Attributes of `loraGradientOp`; `loraGradient` fills in those that follow from the shapes and the device. */
export interface LoraGradientAttrs {
  /** The linears of the group in the order of the columns of dy. */
  readonly segments: readonly Segment[];
  /** Element of gtheta where the gradient of the stacked A [R, K] begins. */
  readonly aOffset: number;
  /** Element of gtheta where the gradients of the B [columns, rank] of the segments begin. */
  readonly bOffset: number;
  /** Factor on the gradients of B; dxa carries it already. */
  readonly scale: number;
  /** Column of the rows of xa where xa begins. */
  readonly xaOffset: number;
  /** Adds to gtheta instead of overwriting it. */
  readonly accumulates: boolean;
  /** x is read four columns at a time. */
  readonly isWidthVector: boolean;
  /** dy is read four columns at a time. */
  readonly isColumnsVector: boolean;
  /** Several invocations share the rows of a tile: right for a GPU; a barrier is slow on a software GPU. */
  readonly canSplit: boolean;
}

/** Tensors of `loraGradient`. */
export interface LoraGradientInputs {
  /** Gradient of x A^T, with the factor alpha / rank: [rows, R]. */
  readonly dxa: Tensor;
  /** What the group reads: [rows, K]. */
  readonly x: Tensor;
  /** Gradient of the group's outputs: [rows, M]. */
  readonly dy: Tensor;
  /** Rows that hold x A^T [rows, R] from column `xaOffset` on. */
  readonly xa: Tensor;
  /** Gradient of all adapter parameters: [P]; changed in place. */
  readonly gtheta: Tensor;
}

interface Sizes {
  readonly rows: number;
  readonly width: number;
  readonly columns: number;
  readonly xaColumns: number;
}

function sizesOf(shapes: readonly Shape[], attrs: LoraGradientAttrs): Sizes {
  const { segments, aOffset, bOffset, xaOffset } = attrs;
  const [dxa, x, dy, xa, gtheta] = shapes;
  const [rows = 0, width = 0] = x ?? [];
  const ranks = totalRank(segments);
  const columns = segments.reduce((sum, segment) => sum + segment.columns, 0);
  const xaColumns = xa?.[1] ?? 0;
  if (ranks === 0) throw new ShapeError("loraGradient: no segment has an adapter");
  const expected: readonly (readonly [string, Shape | undefined, Shape])[] = [
    ["x", x, [rows, width]],
    ["dxa", dxa, [rows, ranks]],
    ["dy", dy, [rows, columns]],
    ["xa", xa, [rows, xaColumns]],
  ];
  for (const [name, shape, wanted] of expected) {
    if (shape?.join() !== wanted.join()) {
      throw new ShapeError(`loraGradient: ${name} is [${shape?.join(", ")}], not [${wanted.join(", ")}]`);
    }
  }
  if (xaOffset + ranks > xaColumns) {
    throw new ShapeError(`loraGradient: ${ranks} columns from ${xaOffset} on of ${xaColumns} columns of xa`);
  }
  const factors = segments.reduce((sum, segment) => sum + segment.columns * segment.rank, 0);
  const end = Math.max(aOffset + ranks * width, bOffset + factors);
  if (end > (gtheta?.[0] ?? 0)) {
    throw new ShapeError(`loraGradient: factors up to element ${end} of ${gtheta?.[0]} parameters`);
  }
  return { rows, width, columns, xaColumns };
}

/** Invocations that share the rows of a tile on a GPU; its tiles are small, so that there are many. */
const gpuTile = { tileRanks: 4, split: 16 };

function variantOf(sizes: Sizes, attrs: LoraGradientAttrs): LoraGradientVariant {
  const { width, columns, xaColumns } = sizes;
  const { segments, xaOffset, isWidthVector, isColumnsVector, canSplit } = attrs;
  // Read once for eight low-rank columns, a wide value costs a software GPU a third less than once for four.
  const aloneTile = { tileRanks: segments.some(({ rank }) => rank > 4) ? 8 : 4, split: 1 };
  const tile = canSplit ? gpuTile : aloneTile;
  return { segments, width, columns, xaColumns, xaOffset, isWidthVector, isColumnsVector, ...tile };
}

function inputs({ isWidthVector, isColumnsVector }: LoraGradientAttrs): readonly Binding[] {
  return [
    { name: "dxa", type: "f32" },
    { name: "x", type: isWidthVector ? "vec4<f32>" : "f32" },
    { name: "dy", type: isColumnsVector ? "vec4<f32>" : "f32" },
    { name: "xa", type: "f32" },
    { name: "gtheta", type: "f32", isMutable: true },
  ];
}

/**
 * Gradients of the adapters of a group in place in gtheta [P]: of the stacked A, dxa^T x [R, K] from `aOffset` on, and from
 * `bOffset` on of each segment's B, scale dy^T xa [columns, rank] over the segment's columns.
 */
export const loraGradientOp: Op<LoraGradientAttrs> = {
  name: "loraGradient",
  inputs,
  outputs: () => [],
  uniforms: { rows: "u32", aOffset: "u32", bOffset: "u32", scale: "f32", accumulates: "u32" },
  outputShapes: (shapes, attrs) => {
    sizesOf(shapes, attrs);
    return [];
  },
  dispatch: (shapes, attrs) => {
    const sizes = sizesOf(shapes, attrs);
    const variant = variantOf(sizes, attrs);
    const slots = workgroupOf(variant.split) / variant.split;
    const { aOffset, bOffset, scale, accumulates } = attrs;
    return {
      wgsl: loraGradientWgsl(variant),
      uniforms: { rows: sizes.rows, aOffset, bOffset, scale, accumulates: accumulates ? 1 : 0 },
      workgroups: foldedGrid(Math.ceil(tilesOf(variant) / slots)),
    };
  },
  cpu: loraGradientCpu,
};

/** Writes (or adds) the gradients of a group's adapters into gtheta, both factors of all its linears in one dispatch. */
export function loraGradient(
  { dxa, x, dy, xa, gtheta }: LoraGradientInputs,
  adapter: Pick<GroupAdapter, "segments" | "aOffset" | "bOffset" | "scale">,
  { xaOffset, accumulates }: { readonly xaOffset: number; readonly accumulates: boolean },
): void {
  const { segments, aOffset, bOffset, scale } = adapter;
  const attrs = { segments, aOffset, bOffset, scale, xaOffset, accumulates, canSplit: !isSoftwareGpu() };
  run(loraGradientOp, [dxa, x, dy, xa, gtheta], { ...attrs, ...vectorFlags(x.shape, segments) });
}

/** Which operands can be read four columns at a time. */
export function vectorFlags(
  x: Shape,
  segments: readonly Segment[],
): Pick<LoraGradientAttrs, "isWidthVector" | "isColumnsVector"> {
  return {
    isWidthVector: (x[1] ?? 0) % 4 === 0,
    isColumnsVector: segments.every(({ columns }) => columns % 4 === 0),
  };
}
