/**
 * Linears that read the same rows, stacked into one weight [outputs, inputs] (query, key and value; gate and up), with
 * the low-rank factors of their adapters in one flat tensor. What the four operations of this folder share.
 */
import type { Binding, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { hasNativeHalf, isSoftwareGpu } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { asPackedWeight } from "../weightLayout/packedWeight.ts";
import type { WholeWeight } from "../weightLayout/packedWeight.ts";
import { wordsPerRow } from "../weightLayout/weightLayout.ts";
import type { WeightLayout } from "../weightLayout/weightLayout.ts";
import { weightBinding } from "../weightLayout/weightReader.wgsl.ts";

/** One linear of a group: its outputs, and the rank of its adapter, 0 without one. */
export interface Segment {
  readonly columns: number;
  readonly rank: number;
}

/** The adapters of a group (LoRA, Hu et al. 2021), inside the flat tensor of all adapter parameters. */
export interface GroupAdapter {
  /** All adapter parameters: [P]. */
  readonly theta: Tensor;
  /** The linears of the group in the order of the stacked weight. */
  readonly segments: readonly Segment[];
  /** First element of the stacked down factors A [R, inputs], R the sum of the ranks. */
  readonly aOffset: number;
  /** First element of the up factors B [columns, rank] of the segments, one after another. */
  readonly bOffset: number;
  /** Factor on the addition, for example alpha / rank. */
  readonly scale: number;
}

/** What all four operations are specialised by. */
export interface GroupAttrs {
  /** Columns of the stacked weight. */
  readonly inputs: number;
  /** Rows of the stacked weight. */
  readonly outputs: number;
  /** How the stacked weight is stored. */
  readonly layout: WeightLayout;
  /** The device reads 16-bit floats itself. */
  readonly isNativeHalf: boolean;
  /** Empty without adapters. */
  readonly segments: readonly Segment[];
  /** First element of theta that the operation reads. */
  readonly offset: number;
  /** Factor on the adapters' addition. */
  readonly scale: number;
  readonly hasBias: boolean;
  /**
   * Small outputs of long sums are computed by several invocations each. A GPU needs it to be busy; on a
   * software GPU the barrier makes it 2 to 10 times slower.
   */
  readonly canSplit: boolean;
}

/** Sum of the ranks of a group. */
export function totalRank(segments: readonly Segment[]): number {
  return segments.reduce((sum, { rank }) => sum + rank, 0);
}

/** A segment with where it starts: among the outputs, among the low-rank columns, and among the up factors. */
export interface PlacedSegment extends Segment {
  readonly firstColumn: number;
  readonly firstRank: number;
  readonly firstFactor: number;
}

/** The segments of a group with where each starts. */
export function placed(segments: readonly Segment[]): readonly PlacedSegment[] {
  let [firstColumn, firstRank, firstFactor] = [0, 0, 0];
  return segments.map((segment) => {
    const place = { ...segment, firstColumn, firstRank, firstFactor };
    firstColumn += segment.columns;
    firstRank += segment.rank;
    firstFactor += segment.columns * segment.rank;
    return place;
  });
}

/** The tensor a stacked weight is bound as, and the attributes that follow from it, its adapter and the device. */
export function weightAttrs(
  weight: WholeWeight,
  adapter: GroupAdapter | undefined,
): { words: Tensor; attrs: Omit<GroupAttrs, "offset" | "hasBias"> } {
  const { words, layout, inputs, outputs } = asPackedWeight(weight);
  const segments = adapter === undefined || totalRank(adapter.segments) === 0 ? [] : adapter.segments;
  const scale = adapter?.scale ?? 1;
  const device = { isNativeHalf: hasNativeHalf(), canSplit: !isSoftwareGpu() };
  return { words, attrs: { inputs, outputs, layout, segments, scale, ...device } };
}

/** The binding of a stacked weight. */
export function stackedBinding({ inputs, layout, isNativeHalf }: GroupAttrs): Binding {
  return weightBinding({ name: "weight", layout, hasWholeQuads: inputs % 4 === 0, isNativeHalf });
}

/** Rows of `shape`; throws `ShapeError` unless it is a matrix of that many columns. */
export function rowsOf(name: string, shape: Shape | undefined, columns: number): number {
  const [rows] = shape ?? [];
  if (rows === undefined || shape?.length !== 2 || shape[1] !== columns) {
    throw new ShapeError(`${name} is [${shape?.join(", ")}], [rows, ${columns}] is needed`);
  }
  return rows;
}

/** Throws `ShapeError` unless the weight, its segments, the bias and theta fit together. */
export function checkGroup(
  { inputs, outputs, layout, segments, offset }: GroupAttrs,
  shapes: { weight: Shape | undefined; bias?: Shape | undefined; theta?: Shape | undefined },
  factors: number,
): void {
  if (rowsOf("the stacked weight", shapes.weight, wordsPerRow(layout, inputs)) !== outputs) {
    throw new ShapeError(`the stacked weight has ${shapes.weight?.[0]} rows, not ${outputs}`);
  }
  if (shapes.bias !== undefined && (shapes.bias.length !== 1 || shapes.bias[0] !== outputs)) {
    throw new ShapeError(`bias [${shapes.bias.join(", ")}] for ${outputs} outputs`);
  }
  if (segments.length === 0) return;
  const columns = segments.reduce((sum, segment) => sum + segment.columns, 0);
  if (columns !== outputs) {
    throw new ShapeError(`segments of ${columns} columns for a stacked weight of ${outputs} rows`);
  }
  const [size] = shapes.theta ?? [];
  if (size === undefined || shapes.theta?.length !== 1 || offset + factors > size) {
    throw new ShapeError(`factors up to element ${offset + factors} in theta [${shapes.theta?.join(", ")}]`);
  }
}

/** Number of elements of the down factors A [R, inputs]. */
export function downFactors({ segments, inputs }: GroupAttrs): number {
  return totalRank(segments) * inputs;
}

/** Number of elements of the up factors B [columns, rank]. */
export function upFactors({ segments }: GroupAttrs): number {
  return segments.reduce((sum, { columns, rank }) => sum + columns * rank, 0);
}

/** Rows of `width` values, read four at a time where they can be. */
export function rowsBinding(name: string, width: number): Binding {
  return { name, type: width % 4 === 0 ? "vec4<f32>" : "f32" };
}
