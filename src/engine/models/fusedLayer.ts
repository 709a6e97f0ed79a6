/**
 * A decoder layer in a few dispatches: 8 forward and 14 backward, with adapters on all seven linears. Linears that read
 * the same rows are one product, and what an adapter adds rides along in a neighbouring dispatch, so that it has none
 * of its own. The tape over single operations (`decoderLayer`) is the oracle.
 */
import { addNorm } from "../kernels/addNorm/addNorm.ts";
import { addNormGradient } from "../kernels/addNorm/addNormGradient.ts";
import { appendPacked } from "../kernels/appendRows/appendPacked.ts";
import {
  attentionOverCachePacked,
  attentionPacked,
  type AttentionResult,
} from "../kernels/attention/attentionPacked.ts";
import { attentionPackedGradient, attentionPre } from "../kernels/attention/attentionPackedBackward.ts";
import { totalRank, type GroupAdapter } from "../kernels/groupLinear/groupLinear.ts";
import { linearDown } from "../kernels/groupLinear/linearDown.ts";
import { linearGradient } from "../kernels/groupLinear/linearGradient.ts";
import { linearUp, linearUpAct } from "../kernels/groupLinear/linearUp.ts";
import { mlpActGradient } from "../kernels/mlpAct/mlpActGradient.ts";
import { qkNormRope, qkNormRopeGradient } from "../kernels/rope/qkNormRope.ts";
import { ropePacked } from "../kernels/rope/ropePacked.ts";
import { dispose } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { layerOptions } from "./config.ts";
import { addGroupGradient, addNormGainOf } from "./fusedGradients.ts";
import type { GradientSink, PassSetup } from "./pass.ts";
import { tableOf, type CausalTables } from "./rows.ts";
import { layerGroups, type LinearGroup } from "./stacks.ts";
import { parameter } from "./weights.ts";

/** The residual stream between two layers: the last projection and its adapter's share are not added to it yet. */
export interface Stream {
  /** [rows, hidden] */
  readonly x: Tensor;
  readonly pending: Projected | null;
}

/** What a linear gives: y [rows, out] without its adapter, and the adapter's inner values [rows, rank]. */
export interface Projected {
  readonly y: Tensor;
  readonly inner: Tensor | null;
  readonly adapter: GroupAdapter | null;
}

/** The stream h, the same normalised, and aux [rows, 1 + rank]: 1 / deviation, then the next adapters' inner values. */
export interface Normed {
  readonly h: Tensor;
  readonly xn: Tensor;
  readonly aux: Tensor;
}

/** What a layer computes and its backward pass reads. */
export interface LayerValues {
  readonly attention: Normed;
  /** [rows, query + 2 · keyValue] before norm and rotation of queries and keys; null without such a norm. */
  readonly raw: Tensor | null;
  /** The same after the rotation. */
  readonly qkv: Tensor;
  /** o [rows, query], logSumExp [rows, heads] */
  readonly attended: AttentionResult;
  readonly oInner: Tensor | null;
  readonly mlp: Normed;
  /** [rows, 2 · intermediate]: gate and up; null when there will be no backward pass. */
  readonly gateUp: Tensor | null;
  /** [rows, intermediate] */
  readonly activated: Tensor;
}

const attentionNorm = (layer: number) => `model.layers.${layer}.input_layernorm.weight`;
const mlpNorm = (layer: number) => `model.layers.${layer}.post_attention_layernorm.weight`;

/** Adds what is pending to the stream, normalises it, and computes the inner values of the adapters that read it. */
export function addAndNorm(
  { model, weights }: PassSetup,
  { x, pending }: Stream,
  { gain, reader }: { readonly gain: string; readonly reader: LinearGroup | null },
): Normed {
  const next = reader === null ? undefined : weights.groupAdapters.get(reader.name);
  const previous = pending?.adapter ?? undefined;
  return addNorm(
    {
      x,
      y0: pending?.y,
      ya: pending?.inner ?? undefined,
      gain: parameter(weights, gain),
      theta: next?.theta ?? previous?.theta,
    },
    {
      epsilon: model.config.rmsNormEpsilon,
      downRank: next === undefined ? 0 : totalRank(next.segments),
      aOffset: next?.aOffset ?? 0,
      bOffset: previous?.bOffset ?? 0,
      loraScale: previous?.scale ?? 1,
    },
  );
}

/** The normalised input of a layer. */
export function layerInput(setup: PassSetup, layer: number, stream: Stream): Normed {
  return addAndNorm(setup, stream, { gain: attentionNorm(layer), reader: layerGroups(layer).qkv });
}

/** Everything of a layer between its normalised input and its last projection. */
export function layerValues(setup: PassSetup, layer: number, attention: Normed): LayerValues {
  const { keeps } = setup;
  const { qkv: qkvGroup, o, gateUp } = layerGroups(layer);
  const { weight, ...parts } = linearOf(setup, qkvGroup);
  const projected = linearUp(attention.xn, weight, { ...parts, xa: attention.aux, xaOffset: 1 });
  const turns = turnsOf(setup);
  const gains = queryKeyGains(setup, layer);
  const shape = shapeOf(setup);
  if (gains === null) ropePacked(projected, turns, shape);
  const qkv = gains === null ? projected : qkNormRope(projected, { ...gains, ...turns }, shape);
  const attended = attend(setup, layer, qkv);
  const projection = projectDown(setup, o, attended.o);
  const stream = { x: attention.h, pending: projection };
  const mlp = addAndNorm(setup, stream, { gain: mlpNorm(layer), reader: gateUp });
  dispose(projection.y);
  const { weight: gateUpWeight, ...gateUpParts } = linearOf(setup, gateUp);
  const { a, gu } = linearUpAct(mlp.xn, gateUpWeight, {
    ...gateUpParts,
    xa: mlp.aux,
    xaOffset: 1,
    activation: gateActivation(setup),
    keeps: keeps !== "nothing",
  });
  return {
    attention,
    raw: gains === null ? null : projected,
    qkv,
    attended,
    oInner: projection.inner,
    mlp,
    gateUp: gu ?? null,
    activated: a,
  };
}

/** The last projection of a layer, which the next norm adds to the stream. */
export function layerOutput(setup: PassSetup, layer: number, values: LayerValues): Stream {
  return { x: values.mlp.h, pending: projectDown(setup, layerGroups(layer).down, values.activated) };
}

/**
 * Backward through one layer: `dh` [rows, hidden], the gradient of its output, becomes that of its input, in place;
 * gradients of parameters are added to the sink. Uses up `values`. The lowest layer leaves `dh` unfinished.
 */
export function layerBackward(
  setup: PassSetup,
  { layer, isLowest }: { readonly layer: number; readonly isLowest: boolean },
  { values, downInner, dh }: { values: LayerValues; downInner: Tensor | null; dh: Tensor },
  sink: GradientSink,
): void {
  const { attention, raw, qkv, attended, mlp, gateUp: gu, activated } = values;
  if (gu === null) throw new Error("The forward pass kept nothing to go back with.");
  const groups = layerGroups(layer);
  const shape = shapeOf(setup);

  const down = linearBackward(setup, groups.down, dh); // dx: [rows, intermediate]
  mlpActGradient({ da0: down.dx, adapter: down.adapter, gu }, gateActivation(setup));
  addGroupGradient(setup, groups.down, { x: activated, dy: dh, xa: downInner, xaOffset: 0, ...down }, sink);
  dispose([activated, down.dx]);

  const gateUp = linearBackward(setup, groups.gateUp, gu); // dx: [rows, hidden]
  addGroupGradient(setup, groups.gateUp, { x: mlp.xn, dy: gu, xa: mlp.aux, xaOffset: 1, ...gateUp }, sink);
  dispose([gu, mlp.xn]);
  addNormGainOf(mlpNorm(layer), { dxn: gateUp.dx, normed: mlp }, sink);
  normBackward(setup, mlpNorm(layer), { linear: gateUp, normed: mlp, dh });
  dispose([gateUp.dx, mlp.h, mlp.aux]);

  const o = linearBackward(setup, groups.o, dh); // dx: [rows, query]
  const delta = attentionPre({ dOutput: o.dx, adapter: o.adapter, o: attended.o }, shape);
  addGroupGradient(setup, groups.o, { x: attended.o, dy: dh, xa: values.oInner, xaOffset: 0, ...o }, sink);
  dispose(attended.o);
  const turns = turnsOf(setup);
  const { logSumExp } = attended;
  const states = { qkv, dOutput: o.dx, logSumExp, delta, ...causalTables(setup, layer), turns };
  const rotary = raw === null ? shape.rotary : 0;
  const dqkv = attentionPackedGradient(states, { ...shape, rotary });
  dispose([o.dx, delta, qkv]);
  const gains = queryKeyGains(setup, layer);
  if (raw !== null && gains !== null) qkNormRopeGradient({ dqkv, raw }, { ...gains, ...turns }, shape);

  const input = linearBackward(setup, groups.qkv, dqkv); // dx: [rows, hidden]
  const qkvParts = { x: attention.xn, dy: dqkv, xa: attention.aux, xaOffset: 1, ...input };
  addGroupGradient(setup, groups.qkv, qkvParts, sink);
  addNormGainOf(attentionNorm(layer), { dxn: input.dx, normed: attention }, sink);
  if (!isLowest) normBackward(setup, attentionNorm(layer), { linear: input, normed: attention, dh });
}

/** What a linear passes back: to its input without the adapter's share, and to the adapter's inner values. */
interface LinearBackward {
  /** [rows, in] */
  readonly dx: Tensor;
  /** Gradient dxa [rows, rank] of the inner values, and where the A [rank, in] lies that turns it into a share of dx. */
  readonly adapter: { readonly dxa: Tensor; readonly theta: Tensor; readonly aOffset: number } | undefined;
}

function linearBackward(setup: PassSetup, group: LinearGroup, dy: Tensor): LinearBackward {
  const { weight, adapter } = linearOf(setup, group);
  const { dx, dxa } = linearGradient(dy, weight, adapter === undefined ? {} : { adapter });
  if (dxa === undefined || adapter === undefined) return { dx, adapter: undefined };
  return { dx, adapter: { dxa, theta: adapter.theta, aOffset: adapter.aOffset } };
}

/** Adds to `dh` what flows back through a norm. */
function normBackward(
  { weights }: PassSetup,
  gain: string,
  parts: { readonly linear: LinearBackward; readonly normed: Normed; readonly dh: Tensor },
): void {
  const { linear, normed, dh } = parts;
  const { h, aux } = normed;
  const { dxa, theta, aOffset } = linear.adapter ?? {};
  const tensors = { dxn0: linear.dx, dxa, theta, h, aux, gain: parameter(weights, gain), dh };
  addNormGradient(tensors, aOffset === undefined ? {} : { aOffset });
}

function linearOf({ weights }: PassSetup, { name }: LinearGroup) {
  const stack = weights.stacks.get(name);
  if (stack === undefined) throw new Error(`The model has no stack "${name}".`);
  const adapter = weights.groupAdapters.get(name);
  return {
    weight: stack.weight,
    ...(stack.bias === null ? {} : { bias: stack.bias }),
    ...(adapter === undefined ? {} : { adapter }),
  };
}

function projectDown(setup: PassSetup, group: LinearGroup, x: Tensor): Projected {
  const { weight, ...parts } = linearOf(setup, group);
  const { y, ya } = linearDown(x, weight, parts);
  return { y, inner: ya ?? null, adapter: parts.adapter ?? null };
}

function attend(setup: PassSetup, layer: number, qkv: Tensor): AttentionResult {
  const { attention } = setup.rows;
  const shape = shapeOf(setup);
  if (attention.kind === "causal") {
    return attentionPacked(qkv, causalTables(setup, layer).keyRanges, shape);
  }
  const { cache, slots } = attention;
  const stored = cache[layer];
  if (stored === undefined)
    throw new Error(`The cache has ${cache.length} layers, layer ${layer} is asked for.`);
  appendPacked(stored, qkv, slots);
  const keyRanges = tableOf(attention.keyRanges, layerOptions(setup.model.config, layer).window);
  return attentionOverCachePacked(qkv, { ...stored, keyRanges }, shape);
}

function causalTables({ model, rows }: PassSetup, layer: number): CausalTables {
  const { attention } = rows;
  if (attention.kind !== "causal") throw new Error("Rows of a cache have no backward pass.");
  return tableOf(attention.tables, layerOptions(model.config, layer).window);
}

function turnsOf({ model, rows }: PassSetup) {
  if (model.ropeTable === null) throw new Error("Fused layers need rotary positions.");
  return { table: model.ropeTable, positions: rows.positions };
}

function queryKeyGains({ model, weights }: PassSetup, layer: number) {
  if (!model.config.hasQueryKeyNorm) return null;
  const gain = (name: string) => parameter(weights, `model.layers.${layer}.self_attn.${name}.weight`);
  return { qGain: gain("q_norm"), kGain: gain("k_norm") };
}

function shapeOf({ model }: PassSetup) {
  const { heads, keyValueHeads, headDim, attentionScale, attentionSoftCap, rotaryDims, rmsNormEpsilon } =
    model.config;
  return {
    heads,
    keyValueHeads,
    headDim,
    scale: attentionScale,
    ...(attentionSoftCap === null ? {} : { softCap: attentionSoftCap }),
    rotary: rotaryDims,
    epsilon: rmsNormEpsilon,
  };
}

function gateActivation({ model }: PassSetup): "silu" | "geluTanh" {
  return model.config.activation === "silu" ? "silu" : "geluTanh";
}
