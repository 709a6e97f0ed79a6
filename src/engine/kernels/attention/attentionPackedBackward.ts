/** The backward pass of attention on packed rows: three dispatches, to be run in the order of this file. */
import type { Binding, Dispatch, Floats, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { onDevice, type AttentionAttributes } from "./attention.ts";
import {
  addAdapterCpu,
  attentionDeltaCpu,
  byName,
  keyValueGradientCpu,
  queryGradientCpu,
  type Arrays,
  type TurnBack,
} from "./attention.cpu.ts";
import { attentionGroup, attentionGroups, isTeamWork } from "./attention.wgsl.ts";
import { attentionGradientAlone, attentionGradientTeam } from "./attentionBackward.wgsl.ts";
import { attentionPreText } from "./attentionPre.wgsl.ts";
import { checkPacked, checkRanges, checkRows, vectors } from "./attentionShapes.ts";
import { packedHeads } from "./headLayout.ts";

/** What specialises `attentionPreOp`. */
export interface AttentionPreAttributes {
  readonly heads: number;
  readonly headDim: number;
  /** Rank of the output projection's adapter; at 0 there are no inputs `dxa` and `theta`, and nothing is added. */
  readonly rank: number;
  /** Where the adapter's A [rank, heads · headDim] begins in `theta`. */
  readonly aOffset: number;
}

/**
 * Adds the adapter's part dxa · A to the gradient of the outputs in place, and gives delta [rows, heads]: the inner
 * products of the output and its gradient, which the softmax takes off every slope.
 */
export const attentionPreOp: Op<AttentionPreAttributes> = {
  name: "attentionPre",
  inputs: ({ rank }) => [
    { name: "dOutput", type: "vec4<f32>", isMutable: rank > 0 }, // [rows, heads · headDim]
    ...(rank > 0 ? adapterBindings : []),
    { name: "o", type: "vec4<f32>" }, // [rows, heads · headDim]
  ],
  outputs: () => [{ name: "delta", type: "f32" }],
  uniforms: { rows: "u32", aOffset: "u32" },
  outputShapes: (inputs, { heads, headDim, rank, aOffset }) => {
    const [rows, width] = [inputs[0]![0]!, heads * headDim];
    checkRows("dOutput", inputs[0], [rows, width]);
    checkRows("o", inputs.at(-1), [rows, width]);
    if (rank > 0) {
      checkRows("dxa", inputs[1], [rows, rank]);
      const held = inputs[2]!.reduce((product, length) => product * length, 1);
      if (aOffset + rank * width > held)
        throw new ShapeError(`attentionPre reads ${rank * width} factors from ${aOffset} on, of ${held}`);
    }
    return [[rows, heads]];
  },
  dispatch: ([dOutput], attributes) => ({
    wgsl: attentionPreText(attributes),
    uniforms: { rows: dOutput![0]!, aOffset: attributes.aOffset },
    workgroups: foldedGrid(Math.ceil((dOutput![0]! * attributes.heads) / attentionGroup)),
  }),
  cpu: (inputs, [delta], _shapes, attributes) => {
    const [dOutput, dxa, theta] = inputs;
    const width = attributes.heads * attributes.headDim;
    if (attributes.rank > 0) addAdapterCpu(dOutput as Floats, dxa!, theta!, { ...attributes, width });
    attentionDeltaCpu(dOutput!, inputs.at(-1)!, delta!, attributes);
  },
};

const adapterBindings: readonly Binding[] = [
  { name: "dxa", type: "f32" }, // [rows, rank]
  { name: "theta", type: "f32" }, // flat
];

/** What specialises the gradients on packed rows. */
export interface AttentionGradientAttributes extends AttentionAttributes {
  /**
   * Leading numbers of a head that were rotated, in pairs (i, i + rotary / 2); the gradients are of the rows before
   * the rotation. At 0 there are no inputs `table` and `positions`.
   */
  readonly rotary: number;
}

const statistics: readonly Binding[] = [
  { name: "logSumExp", type: "f32" }, // [rows, heads]
  { name: "delta", type: "f32" }, // [rows, heads]
];

function rotation(rotary: number): readonly Binding[] {
  if (rotary === 0) return [];
  return [
    { name: "table", type: "f32" }, // [maxPositions, rotary / 2, 2]
    { name: "positions", type: "i32" }, // [rows]
  ];
}

/**
 * Gradient of the queries: a new `dqkv` of the shape of `qkv` whose query part is filled; the rest is left to
 * `attentionGradientKVOp`.
 */
export const attentionGradientQOp: Op<AttentionGradientAttributes> = {
  name: "attentionGradientQ",
  inputs: ({ rotary }) => [
    ...vectors("qkv", "dOutput"),
    ...statistics,
    { name: "keyRanges", type: "i32" }, // [rows, 2 · ranges]
    ...rotation(rotary),
  ],
  outputs: () => vectors("dqkv"),
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: (inputs, attributes) => {
    checkInputs(inputs, attributes);
    return [inputs[0]!];
  },
  dispatch: (inputs, attributes) => gradientDispatch("dq", inputs, attributes),
  cpu: (inputs, [dqkv], _shapes, attributes) => {
    const arrays = byName(attentionGradientQOp.inputs(attributes), inputs);
    const layout = packedHeads(attributes);
    const dq = { values: dqkv!, heads: layout.q };
    queryGradientCpu(arrays, { layout, dq, turn: turnBack(arrays, attributes) }, attributes);
  },
};

/** Gradients of the keys and of the values, into their parts of `dqkv`. */
export const attentionGradientKVOp: Op<AttentionGradientAttributes> = {
  name: "attentionGradientKV",
  inputs: ({ rotary }) => [
    ...vectors("qkv", "dOutput"),
    ...statistics,
    { name: "queryRanges", type: "i32" }, // [rows, 2 · ranges]
    ...rotation(rotary),
    { name: "dqkv", type: "vec4<f32>", isMutable: true },
  ],
  outputs: () => [],
  uniforms: { rows: "u32", scale: "f32" },
  outputShapes: (inputs, attributes) => {
    checkInputs(inputs, attributes);
    checkRows("dqkv", inputs.at(-1), inputs[0]!);
    return [];
  },
  dispatch: (inputs, attributes) => gradientDispatch("dkv", inputs, attributes),
  cpu: (inputs, _outputs, _shapes, attributes) => {
    const arrays = byName(attentionGradientKVOp.inputs(attributes), inputs);
    const layout = packedHeads(attributes);
    const dk = { values: inputs.at(-1)!, heads: layout.k };
    const dv = { values: inputs.at(-1)!, heads: layout.v };
    keyValueGradientCpu(arrays, { layout, dk, dv, turn: turnBack(arrays, attributes) }, attributes);
  },
};

function turnBack(
  { table, positions }: Arrays,
  { rotary }: AttentionGradientAttributes,
): TurnBack | undefined {
  return rotary === 0 ? undefined : { rotary, table: table!, positions: positions! };
}

function checkInputs(inputs: readonly Shape[], attributes: AttentionGradientAttributes): void {
  const { heads, headDim, rotary } = attributes;
  const [qkv, dOutput, logSumExp, delta, ranges, table, positions] = inputs;
  checkPacked(qkv, attributes);
  const rows = qkv![0]!;
  checkRows("dOutput", dOutput, [rows, heads * headDim]);
  checkRows("logSumExp", logSumExp, [rows, heads]);
  checkRows("delta", delta, [rows, heads]);
  checkRanges(ranges, rows);
  if (rotary === 0) return;
  if (rotary % 2 !== 0 || rotary > headDim)
    throw new ShapeError(`attention cannot turn ${rotary} numbers of heads of ${headDim} in pairs`);
  checkRows("a table", table, [table![0]!, rotary / 2, 2]);
  checkRows("positions", positions, [rows]);
}

function gradientDispatch(
  gradient: "dq" | "dkv",
  [qkv, , , , ranges]: readonly Shape[],
  attributes: AttentionGradientAttributes,
): Dispatch {
  const { heads, keyValueHeads, scale, rotary } = attributes;
  const rows = qkv![0]!;
  // Keys and values have two vectors each to hold and to sum.
  const work =
    gradient === "dq"
      ? ({ items: rows * heads } as const)
      : ({ items: rows * keyValueHeads, load: 2 } as const);
  const text = isTeamWork(attributes, work) ? attentionGradientTeam : attentionGradientAlone;
  return {
    wgsl: text({
      gradient,
      attributes,
      layout: packedHeads(attributes),
      targets: packedHeads(attributes, "dqkv"),
      ranges: ranges![1]! / 2,
      hasDelta: true,
      rotary,
    }),
    uniforms: { rows, scale },
    workgroups: foldedGrid(attentionGroups(attributes, work)),
  };
}

/** Adds the output projection's adapter to `dOutput` in place and returns delta [rows, heads]; see `attentionPreOp`. */
export function attentionPre(
  tensors: {
    readonly dOutput: Tensor;
    readonly adapter: { readonly dxa: Tensor; readonly theta: Tensor; readonly aOffset: number } | undefined;
    readonly o: Tensor;
  },
  { heads, headDim }: Pick<AttentionAttributes, "heads" | "headDim">,
): Tensor {
  const { dOutput, adapter, o } = tensors;
  const inputs = adapter === undefined ? [dOutput, o] : [dOutput, adapter.dxa, adapter.theta, o];
  const rank = adapter?.dxa.shape[1] ?? 0;
  return run(attentionPreOp, inputs, { heads, headDim, rank, aOffset: adapter?.aOffset ?? 0 })[0]!;
}

/** What the gradients of packed rows are made of; the rotation is undone when there is one. */
export interface PackedGradientInputs {
  readonly qkv: Tensor;
  readonly dOutput: Tensor;
  /** [rows, heads] */
  readonly logSumExp: Tensor;
  /** [rows, heads], of `attentionPre` */
  readonly delta: Tensor;
  readonly keyRanges: Tensor;
  readonly queryRanges: Tensor;
  readonly turns: { readonly table: Tensor; readonly positions: Tensor };
}

/** Gradient of packed rows before their rotation, [rows, (heads + 2 · keyValueHeads) · headDim], in two dispatches. */
export function attentionPackedGradient(
  inputs: PackedGradientInputs,
  attributes: AttentionGradientAttributes,
): Tensor {
  const { qkv, dOutput, logSumExp, delta, keyRanges, queryRanges, turns } = inputs;
  const states = [qkv, dOutput, logSumExp, delta];
  const rotation = attributes.rotary > 0 ? [turns.table, turns.positions] : [];
  const device = onDevice(attributes);
  const dqkv = run(attentionGradientQOp, [...states, keyRanges, ...rotation], device)[0]!;
  run(attentionGradientKVOp, [...states, queryRanges, ...rotation, dqkv], device);
  return dqkv;
}
