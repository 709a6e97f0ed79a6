/** Groups of linears with their adapters, at the widths of SmolLM2-135M. */
import { packedWeight } from "../../src/engine/kernels/weightLayout/packedWeight.ts";
import { packRows, unpackRow } from "../../src/engine/kernels/weightLayout/weightLayout.ts";
import type { WeightLayout } from "../../src/engine/kernels/weightLayout/weightLayout.ts";
import type { Tensor } from "../../src/engine/tensor/tfjs.ts";
import { gaussians, type KernelInputs } from "./kernelCase.ts";

/** Few, so that a software GPU is done in seconds. */
export const ROWS = 32;
/** Width of the residual stream. */
export const HIDDEN = 576;
/** Width within the MLP. */
export const INTERMEDIATE = 1536;
/** Rank of every adapter. */
export const RANK = 8;
/** alpha / rank. */
export const SCALE = 2;
/** Of every norm. */
export const EPSILON = 1e-5;

/** Columns and ranks of queries, keys and values. */
export const queryKeyValue = [576, 192, 192].map((columns) => ({ columns, rank: RANK }));
/** Columns and ranks of gate and up. */
export const gateUp = [INTERMEDIATE, INTERMEDIATE].map((columns) => ({ columns, rank: RANK }));
const down = [{ columns: HIDDEN, rank: RANK }];

/** Small random tensors, each unlike the others. */
export function drawer({ tensor }: KernelInputs): (...shape: number[]) => Tensor {
  let seed = 1;
  return (...shape) => tensor(gaussians(shape, seed++, 1 / Math.sqrt(shape.at(-1) ?? 1)), shape);
}

/** Linears that read the same rows, and how wide those are. */
export interface Group {
  readonly segments: readonly { readonly columns: number; readonly rank: number }[];
  readonly inputs: number;
}

/** A frozen matrix in a layout, and `plain`, the same values in f32. */
function openWeight({ tensor, keep }: KernelInputs, shape: readonly [number, number], layout: WeightLayout) {
  const [outputs, inputs] = shape;
  const words = packRows(gaussians(shape, 100, 1 / Math.sqrt(inputs)), shape, layout);
  const weight = packedWeight(words, shape, layout);
  keep(weight.words);
  const values = Array.from({ length: outputs }, (_, row) => [...unpackRow(words, row, inputs, layout)]);
  return { weight, plain: layout === "f32" ? weight.words : tensor(Float32Array.from(values.flat()), shape) };
}

/**
 * A group's weight in a layout, its adapter inside flat parameters, and for the other side the weight in f32 and the
 * factors by themselves.
 */
export function openGroup(inputs: KernelInputs, group: Group, layout: WeightLayout = "f32") {
  const draw = drawer(inputs);
  const outputs = group.segments.reduce((sum, { columns }) => sum + columns, 0);
  const ranks = group.segments.reduce((sum, { rank }) => sum + rank, 0);
  const a = gaussians([ranks, group.inputs], 101, 1 / Math.sqrt(group.inputs));
  const bs = group.segments.map(({ columns, rank }, index) => gaussians([columns, rank], 102 + index, 0.1));
  const flat = Float32Array.from([...a, ...bs.flatMap((b) => [...b])]);
  return {
    draw,
    outputs,
    ranks,
    ...openWeight(inputs, [outputs, group.inputs], layout),
    adapter: {
      theta: inputs.tensor(flat, [flat.length]),
      segments: group.segments,
      aOffset: 0,
      bOffset: a.length,
      scale: SCALE,
    },
    a: inputs.tensor(a, [ranks, group.inputs]),
    bs: bs.map((b, index) => inputs.tensor(b, [group.segments[index]?.columns ?? 0, RANK])),
  };
}

/** Multiplications and additions of a group's product. */
export const groupFlops = ({ segments, inputs }: Group): number =>
  2 * ROWS * inputs * segments.reduce((sum, { columns }) => sum + columns, 0);

/** A group in words. */
export const groupShape = ({ segments, inputs }: Group): string =>
  `${ROWS}x${inputs} to ${segments.map(({ columns }) => columns).join(" + ")}, rank ${RANK}`;

/** Queries, keys and values of SmolLM2-135M. */
export const qkvGroup: Group = { segments: queryKeyValue, inputs: HIDDEN };
/** Its gate and up. */
export const gateUpGroup: Group = { segments: gateUp, inputs: HIDDEN };
/** Its last projection. */
export const downGroup: Group = { segments: down, inputs: INTERMEDIATE };
