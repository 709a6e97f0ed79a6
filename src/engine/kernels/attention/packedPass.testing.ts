/** A whole pass of attention on packed rows in float64 over the oracles, for tests. */
import { randomValues } from "../../tensor/testing.ts";
import { ropeTable } from "../rope/ropeTable.ts";
import { attentionPackedOp } from "./attentionPacked.ts";
import {
  attentionGradientKVOp,
  attentionGradientQOp,
  attentionPreOp,
  type AttentionGradientAttributes,
  type AttentionPreAttributes,
} from "./attentionPackedBackward.ts";
import type { CausalRanges } from "./causalRanges.ts";

/** Numbers in the precision of the pass. */
export type Numbers = Float64Array;

/** Inputs of a pass with an adapter of rank 3 on the output projection. */
export interface PackedPass {
  readonly rows: number;
  readonly attributes: AttentionGradientAttributes;
  readonly ranges: CausalRanges;
  /** [rows, (heads + 2 · keyValueHeads) · headDim] before the rotation. */
  readonly raw: Numbers;
  /** [rows, heads · headDim], without the adapter's part. */
  readonly dOutput: Numbers;
  /** [rows, rank] */
  readonly dxa: Numbers;
  readonly theta: Numbers;
  /** [positions, rotary / 2, 2] */
  readonly table: Numbers;
  readonly tableShape: readonly number[];
  readonly preAttributes: AttentionPreAttributes;
}

/** A pass over random numbers. */
export function randomPass(attributes: AttentionGradientAttributes, ranges: CausalRanges): PackedPass {
  const { heads, keyValueHeads, headDim, rotary } = attributes;
  const rows = ranges.positions.length;
  const width = heads * headDim;
  const rank = 3;
  const aOffset = 7; // no multiple of a vector's length
  const maxPositions = Math.max(...ranges.positions) + 1;
  const wide = (seed: number, shape: readonly number[]) => Float64Array.from(randomValues(seed, shape));
  return {
    rows,
    attributes,
    ranges,
    raw: wide(1, [rows, width + 2 * keyValueHeads * headDim]),
    dOutput: wide(2, [rows, width]),
    dxa: wide(3, [rows, rank]),
    theta: wide(4, [aOffset + rank * width + 2]),
    table: Float64Array.from(ropeTable({ headDim: Math.max(2, rotary), maxPositions, theta: 100 })),
    tableShape: [maxPositions, Math.max(1, rotary / 2), 2],
    preAttributes: { heads, headDim, rank, aOffset },
  };
}

/** Turns the first `rotary` numbers of every query and key head to its row's position. */
export function rotated({ rows, attributes, ranges, raw, table }: PackedPass): Numbers {
  const { heads, keyValueHeads, headDim, rotary } = attributes;
  const turned = raw.slice();
  const half = rotary / 2;
  const stride = (heads + 2 * keyValueHeads) * headDim;
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads + keyValueHeads; head++) {
      for (let plane = 0; plane < half; plane++) {
        const at = row * stride + head * headDim + plane;
        const turn = (ranges.positions[row]! * half + plane) * 2;
        const [cosine, sine] = [table[turn]!, table[turn + 1]!];
        turned[at] = raw[at]! * cosine - raw[at + half]! * sine;
        turned[at + half] = raw[at + half]! * cosine + raw[at]! * sine;
      }
    }
  }
  return turned;
}

/** Output and logarithms of the sums for rows `qkv` after the rotation. */
export function forward({ rows, attributes, ranges }: PackedPass, qkv: Numbers) {
  const { heads, headDim } = attributes;
  const o = new Float64Array(rows * heads * headDim);
  const logSumExp = new Float64Array(rows * heads);
  attentionPackedOp.cpu([qkv, ranges.keyRanges], [o, logSumExp], [], attributes);
  return { o, logSumExp };
}

/** Every array of the pass; `dqkv` is the gradient by `raw`. */
export function wholePass(pass: PackedPass) {
  const { rows, attributes, ranges, table } = pass;
  const { heads, rotary } = attributes;
  const qkv = rotated(pass);
  const { o, logSumExp } = forward(pass, qkv);
  const dOutput = pass.dOutput.slice();
  const delta = new Float64Array(rows * heads);
  attentionPreOp.cpu([dOutput, pass.dxa, pass.theta, o], [delta], [], pass.preAttributes);
  const turn = rotary === 0 ? [] : [table, ranges.positions];
  const dqkv = new Float64Array(qkv.length);
  const common = [qkv, dOutput, logSumExp, delta];
  attentionGradientQOp.cpu([...common, ranges.keyRanges, ...turn], [dqkv], [], attributes);
  attentionGradientKVOp.cpu([...common, ranges.queryRanges, ...turn, dqkv], [], [], attributes);
  return { qkv, o, logSumExp, dOutput, delta, dqkv };
}
