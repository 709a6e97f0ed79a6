/**
 * Attention on packed rows `qkv` [rows, (heads + 2 · keyValueHeads) · headDim], without a gradient of its own for the
 * tape: its backward pass is in attentionPackedBackward.ts.
 */
import type { Binding, Dispatch, Op, Shape } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { onDevice, type AttentionAttributes } from "./attention.ts";
import { attentionCpu, byName } from "./attention.cpu.ts";
import { attentionAlone, attentionGroups, attentionTeam, isTeamWork } from "./attention.wgsl.ts";
import { checkKeyValues, checkPacked, checkRanges, vectors } from "./attentionShapes.ts";
import { cachedHeads, packedHeads, type HeadLayout } from "./headLayout.ts";

const keyRangesBinding: Binding = { name: "keyRanges", type: "i32" }; // [rows, 2 · ranges]

function outputs(): Binding[] {
  return [...vectors("o"), { name: "logSumExp", type: "f32" }];
}

function outputShapes(rows: number, { heads, headDim }: AttentionAttributes): Shape[] {
  return [
    [rows, heads * headDim],
    [rows, heads],
  ];
}

function forward(
  layout: HeadLayout,
  [rows, ranges]: readonly [rows: number, ranges: Shape],
  attributes: AttentionAttributes,
): Dispatch {
  const work = { items: rows * attributes.heads };
  const text = isTeamWork(attributes, work) ? attentionTeam : attentionAlone;
  return {
    wgsl: text({ attributes, layout, ranges: ranges[1]! / 2 }),
    uniforms: { rows, scale: attributes.scale },
    workgroups: foldedGrid(attentionGroups(attributes, work)),
  };
}

/** Rotated packed rows → o [rows, heads · headDim] and logSumExp [rows, heads], -1e30 for a row without keys. */
export const attentionPackedOp: Op<AttentionAttributes> = {
  name: "attentionPacked",
  inputs: () => [...vectors("qkv"), keyRangesBinding],
  outputs,
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: ([qkv, keyRanges], attributes) => {
    checkPacked(qkv, attributes);
    checkRanges(keyRanges, qkv![0]);
    return outputShapes(qkv![0]!, attributes);
  },
  dispatch: ([qkv, keyRanges], attributes) =>
    forward(packedHeads(attributes), [qkv![0]!, keyRanges!], attributes),
  cpu: (inputs, results, _shapes, attributes) => {
    const arrays = byName(attentionPackedOp.inputs(attributes), inputs);
    attentionCpu(arrays, results, packedHeads(attributes), attributes);
  },
};

/** For decoding: the queries of packed rows over the caches `keys` and `values` [capacity, keyValueHeads · headDim]. */
export const attentionOverCachePackedOp: Op<AttentionAttributes> = {
  name: "attentionOverCachePacked",
  inputs: () => [...vectors("qkv", "keys", "values"), keyRangesBinding],
  outputs,
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: ([qkv, keys, values, keyRanges], attributes) => {
    checkPacked(qkv, attributes);
    checkKeyValues([keys, values], attributes);
    checkRanges(keyRanges, qkv![0]);
    return outputShapes(qkv![0]!, attributes);
  },
  dispatch: ([qkv, , , keyRanges], attributes) =>
    forward(cachedHeads(attributes), [qkv![0]!, keyRanges!], attributes),
  cpu: (inputs, results, _shapes, attributes) => {
    const arrays = byName(attentionOverCachePackedOp.inputs(attributes), inputs);
    attentionCpu(arrays, results, cachedHeads(attributes), attributes);
  },
};

/** What attention gives: o [rows, heads · headDim] and logSumExp [rows, heads]. */
export interface AttentionResult {
  readonly o: Tensor;
  readonly logSumExp: Tensor;
}

/** Attention of rotated packed rows over one another; see `attentionPackedOp`. */
export function attentionPacked(
  qkv: Tensor,
  keyRanges: Tensor,
  attributes: AttentionAttributes,
): AttentionResult {
  const [o, logSumExp] = run(attentionPackedOp, [qkv, keyRanges], onDevice(attributes));
  return { o: o!, logSumExp: logSumExp! };
}

/** Attention of rotated packed rows over a cache; see `attentionOverCachePackedOp`. */
export function attentionOverCachePacked(
  qkv: Tensor,
  cache: { readonly keys: Tensor; readonly values: Tensor; readonly keyRanges: Tensor },
  attributes: AttentionAttributes,
): AttentionResult {
  const inputs = [qkv, cache.keys, cache.values, cache.keyRanges];
  const [o, logSumExp] = run(attentionOverCachePackedOp, inputs, onDevice(attributes));
  return { o: o!, logSumExp: logSumExp! };
}
