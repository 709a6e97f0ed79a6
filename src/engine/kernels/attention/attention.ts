import type { Binding, Dispatch, Floats, Op, Shape, Values } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { attentionCpu, byName } from "./attention.cpu.ts";
import { attentionAlone, attentionGroups, attentionTeam, isTeamWork } from "./attention.wgsl.ts";
import { attentionDeltaOp, attentionDkOp, attentionDqOp, attentionDvOp } from "./attentionBackward.ts";
import { checkHeads, checkRanges, vectors } from "./attentionShapes.ts";
import { separateHeads } from "./headLayout.ts";

/** What specialises attention: query heads, key-value heads (a divisor), width of a head, factor of the scores. */
export interface AttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** A multiple of 4, at most 256. */
  readonly headDim: number;
  readonly scale: number;
  /** Bounds every score s to c · tanh(s / c), if given. */
  readonly softCap?: number;
  /** Whether a workgroup may share a (row, head); by default yes. A software GPU is slower with it. */
  readonly canShare?: boolean;
}

const keyRangesBinding: Binding = { name: "keyRanges", type: "i32" };

function outputs(): Binding[] {
  return [...vectors("o"), { name: "logSumExp", type: "f32" }];
}

function forward(
  [q, , , keyRanges]: readonly Shape[],
  attributes: AttentionAttributes,
  unread: readonly string[],
): Dispatch {
  const work = { items: q![0]! * attributes.heads };
  const text = isTeamWork(attributes, work) ? attentionTeam : attentionAlone;
  return {
    wgsl: text({ attributes, layout: separateHeads(attributes), ranges: keyRanges![1]! / 2, unread }),
    uniforms: { rows: q![0]!, scale: attributes.scale },
    workgroups: foldedGrid(attentionGroups(attributes, work)),
  };
}

function forwardCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  attributes: AttentionAttributes,
): void {
  const arrays = byName(attentionOverCacheOp.inputs(attributes), inputs);
  attentionCpu(arrays, outputs, separateHeads(attributes), attributes);
}

/**
 * Attention without a gradient, for decoding: a query row is a live sequence and its keys lie in a cache.
 * The logarithm of an empty sum is stored as -1e30.
 */
export const attentionOverCacheOp: Op<AttentionAttributes> = {
  name: "attentionOverCache",
  inputs: () => [...vectors("q", "k", "v"), keyRangesBinding],
  outputs,
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: ([q, k, v, keyRanges], attributes) => {
    checkHeads([q, k, v], attributes);
    checkRanges(keyRanges, q![0]);
    return [q!, [q![0]!, attributes.heads]];
  },
  dispatch: (inputs, attributes) => forward(inputs, attributes, []),
  cpu: forwardCpu,
};

/** Attention with gradients for q, k and v; none flows through the second output, logSumExp. */
export const attentionOp: Op<AttentionAttributes> = {
  ...attentionOverCacheOp,
  name: "attention",
  inputs: () => [...vectors("q", "k", "v"), keyRangesBinding, { name: "queryRanges", type: "i32" }],
  outputShapes: (inputs, attributes) => {
    checkRanges(inputs[4], inputs[1]?.[0]);
    return attentionOverCacheOp.outputShapes(inputs, attributes);
  },
  dispatch: (inputs, attributes) => forward(inputs, attributes, ["queryRanges"]),
  gradient: ([dOutput], [q, k, v, keyRanges, queryRanges], [o, logSumExp], attributes) => {
    const dk = (delta: Tensor): Tensor =>
      run(attentionDkOp, [q!, k!, v!, dOutput!, logSumExp!, delta, queryRanges!], attributes)[0]!;
    return {
      q: () => run(attentionDqOp, [q!, k!, v!, dOutput!, o!, logSumExp!, keyRanges!], attributes)[0]!,
      k: () => dk(run(attentionDeltaOp, [dOutput!, o!], attributes)[0]!),
      v: () => run(attentionDvOp, [q!, k!, dOutput!, logSumExp!, queryRanges!], attributes)[0]!,
    };
  },
};

/** Attributes for the active device, where workgroups do not share what they are slow to share. */
export function onDevice<A extends AttentionAttributes>(attributes: A): A {
  return { ...attributes, canShare: !isSoftwareGpu() };
}

/** Rows of queries [rows, heads · headDim], keys and values [keys, keyValueHeads · headDim] after rotation. */
export interface AttentionInputs {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** i32 [rows, 2 · ranges]: first and one past the last key row of every range that a query row sees; none gives zeros. */
  readonly keyRanges: Tensor;
}

/** What the gradient of attention needs besides: the key ranges seen from the keys. */
export interface TrainableAttentionInputs extends AttentionInputs {
  /** i32 [keys, 2 · ranges]: the same for the query rows that see a key row; must agree with `keyRanges`. */
  readonly queryRanges: Tensor;
}

/** Grouped-query attention [rows, heads · headDim] that the tape can differentiate. */
export function attention(inputs: TrainableAttentionInputs, attributes: AttentionAttributes): Tensor {
  const { q, k, v, keyRanges, queryRanges } = inputs;
  return run(attentionOp, [q, k, v, keyRanges, queryRanges], onDevice(attributes))[0]!;
}

/** Grouped-query attention [rows, heads · headDim] over the rows of a cache, without a gradient. */
export function attentionOverCache(inputs: AttentionInputs, attributes: AttentionAttributes): Tensor {
  const { q, k, v, keyRanges } = inputs;
  return run(attentionOverCacheOp, [q, k, v, keyRanges], onDevice(attributes))[0]!;
}
