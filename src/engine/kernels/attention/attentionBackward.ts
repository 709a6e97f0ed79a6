import type { Dispatch, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { foldedGrid } from "../grid.ts";
import type { AttentionAttributes } from "./attention.ts";
import { attentionDeltaCpu, byName, keyValueGradientCpu, queryGradientCpu } from "./attention.cpu.ts";
import { attentionGroup, attentionGroups, isTeamWork } from "./attention.wgsl.ts";
import {
  attentionGradientAlone,
  attentionGradientTeam,
  type AttentionGradient,
} from "./attentionBackward.wgsl.ts";
import { attentionDeltaText } from "./attentionPre.wgsl.ts";
import { checkHeads, checkRanges, vectors } from "./attentionShapes.ts";
import { headsAlone, separateHeads, type HeadLayout } from "./headLayout.ts";

/** Inner products of the output and its gradient per (row, head), which the softmax takes off every slope. */
export const attentionDeltaOp: Op<AttentionAttributes> = {
  name: "attentionDelta",
  inputs: () => vectors("dOutput", "o"), // both [rows, heads · headDim]
  outputs: () => [{ name: "delta", type: "f32" }],
  uniforms: { items: "u32" },
  outputShapes: ([dOutput, o], { heads, headDim }) => {
    if (dOutput![0] !== o![0] || dOutput![1] !== o![1] || o![1] !== heads * headDim)
      throw new ShapeError(`attentionDelta got [${dOutput!.join(", ")}] and [${o!.join(", ")}]`);
    return [[o![0]!, heads]];
  },
  dispatch: ([dOutput], { heads, headDim }) => ({
    wgsl: attentionDeltaText(headDim),
    uniforms: { items: dOutput![0]! * heads },
    workgroups: foldedGrid(Math.ceil((dOutput![0]! * heads) / attentionGroup)),
  }),
  cpu: ([dOutput, o], [delta], _shapes, attributes) => {
    attentionDeltaCpu(dOutput!, o!, delta!, attributes);
  },
};

/** Gradient of the queries [rows, heads · headDim]. */
export const attentionDqOp: Op<AttentionAttributes> = {
  name: "attentionDq",
  inputs: () => [
    ...vectors("q", "k", "v", "dOutput", "o"),
    { name: "logSumExp", type: "f32" }, // [rows, heads]
    { name: "keyRanges", type: "i32" }, // [rows, 2 · ranges]
  ],
  outputs: () => vectors("dq"),
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: ([q, k, v, , , , keyRanges], attributes) => {
    checkHeads([q, k, v], attributes);
    checkRanges(keyRanges, q![0]);
    return [q!];
  },
  dispatch: ([q, , , , , , keyRanges], attributes) => gradientDispatch("dq", [q!, keyRanges!], attributes),
  cpu: (inputs, [dq], _shapes, attributes) => {
    const layout = separateHeads(attributes);
    const arrays = byName(attentionDqOp.inputs(attributes), inputs);
    queryGradientCpu(arrays, { layout, dq: { values: dq!, heads: layout.q } }, attributes);
  },
};

/** Gradient of the keys [keys, keyValueHeads · headDim]; sums over the query heads that share a key's head. */
export const attentionDkOp: Op<AttentionAttributes> = {
  name: "attentionDk",
  inputs: () => [
    ...vectors("q", "k", "v", "dOutput"),
    { name: "logSumExp", type: "f32" }, // [rows, heads]
    { name: "delta", type: "f32" }, // [rows, heads]
    { name: "queryRanges", type: "i32" }, // [keys, 2 · ranges]
  ],
  outputs: () => vectors("dk"),
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: ([q, k, v, , , , queryRanges], attributes) => {
    checkHeads([q, k, v], attributes);
    checkRanges(queryRanges, k![0]);
    return [k!];
  },
  dispatch: ([, k, , , , , queryRanges], attributes) =>
    gradientDispatch("dk", [k!, queryRanges!], attributes),
  cpu: (inputs, [dk], _shapes, attributes) => {
    const layout = separateHeads(attributes);
    const arrays = byName(attentionDkOp.inputs(attributes), inputs);
    keyValueGradientCpu(arrays, { layout, dk: { values: dk!, heads: layout.k } }, attributes);
  },
};

/**
 * Gradient of the values [keys, keyValueHeads · headDim]. Apart from that of the keys, although both need the same
 * probabilities: together they would bind nine buffers, and one is often wanted without the other.
 */
export const attentionDvOp: Op<AttentionAttributes> = {
  name: "attentionDv",
  inputs: () => [
    ...vectors("q", "k", "dOutput"),
    { name: "logSumExp", type: "f32" }, // [rows, heads]
    { name: "queryRanges", type: "i32" }, // [keys, 2 · ranges]
  ],
  outputs: () => vectors("dv"),
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: ([q, k, , , queryRanges], attributes) => {
    checkHeads([q, k, k], attributes);
    checkRanges(queryRanges, k![0]);
    return [k!];
  },
  dispatch: ([, k, , , queryRanges], attributes) => gradientDispatch("dv", [k!, queryRanges!], attributes),
  cpu: (inputs, [dv], _shapes, attributes) => {
    const layout = separateHeads(attributes);
    const arrays = byName(attentionDvOp.inputs(attributes), inputs);
    keyValueGradientCpu(arrays, { layout, dv: { values: dv!, heads: layout.v } }, attributes);
  },
};

function separateTargets({ q, k, v }: HeadLayout): HeadLayout {
  return {
    q: headsAlone("dq", q.stride),
    k: headsAlone("dk", k.stride),
    v: headsAlone("dv", v.stride),
  };
}

function gradientDispatch(
  gradient: AttentionGradient,
  [own, ranges]: readonly [own: Shape, ranges: Shape],
  attributes: AttentionAttributes,
): Dispatch {
  const work = { items: (own[0]! * own[1]!) / attributes.headDim };
  const text = isTeamWork(attributes, work) ? attentionGradientTeam : attentionGradientAlone;
  const layout = separateHeads(attributes);
  return {
    wgsl: text({
      gradient,
      attributes,
      layout,
      targets: separateTargets(layout),
      ranges: ranges[1]! / 2,
      hasDelta: gradient !== "dq",
      rotary: 0,
    }),
    uniforms: { rows: own[0]!, scale: attributes.scale },
    workgroups: foldedGrid(attentionGroups(attributes, work)),
  };
}
