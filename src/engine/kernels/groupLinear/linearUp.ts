import type { Binding, Dispatch, Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import type { Activation } from "../gatedActivation/activation.ts";
import type { WholeWeight } from "../weightLayout/packedWeight.ts";
import { linearUpActWgsl, linearUpWgsl } from "./forward.wgsl.ts";
import {
  checkGroup,
  placed,
  rowsBinding,
  rowsOf,
  stackedBinding,
  totalRank,
  upFactors,
  weightAttrs,
} from "./groupLinear.ts";
import type { GroupAdapter, GroupAttrs } from "./groupLinear.ts";
import { linearUpActCpu, linearUpCpu } from "./linearUp.cpu.ts";
import { tilingOf } from "./tiling.ts";

/** Attributes of `linearUp`. */
export interface LinearUpAttrs extends GroupAttrs {
  /** First column of xa that belongs to the group. */
  readonly xaOffset: number;
}

/** Attributes of `linearUpAct`. */
export interface LinearUpActAttrs extends LinearUpAttrs {
  readonly activation: Activation;
  /** Whether the values before the activation are an output too. */
  readonly keeps: boolean;
}

/** What `linearUp` adds to the plain product. */
export interface LinearUpOptions {
  /** [outputs] */
  readonly bias?: Tensor;
  readonly adapter?: GroupAdapter;
  /** The group's low-rank rows x A^T: columns `xaOffset` to `xaOffset + R` of [rows, xaColumns]. */
  readonly xa?: Tensor;
  /** First column of `xa` that belongs to the group; 0 when left out. */
  readonly xaOffset?: number;
}

function inputBindings(attrs: LinearUpAttrs): readonly Binding[] {
  const { inputs, hasBias, segments } = attrs;
  const bindings: Binding[] = [rowsBinding("x", inputs), stackedBinding(attrs)];
  if (hasBias) bindings.push({ name: "bias", type: "f32" });
  if (segments.length > 0) bindings.push({ name: "xa", type: "f32" }, { name: "theta", type: "f32" });
  return bindings;
}

function checkedRows(shapes: readonly Shape[], attrs: LinearUpAttrs): number {
  const { inputs, hasBias, segments, xaOffset } = attrs;
  const rows = rowsOf("x", shapes[0], inputs);
  const bias = hasBias ? shapes[2] : undefined;
  const [xa, theta] = shapes.slice(hasBias ? 3 : 2);
  checkGroup(attrs, { weight: shapes[1], bias, theta }, upFactors(attrs));
  if (segments.length === 0) return rows;
  const needed = xaOffset + totalRank(segments);
  if (xa?.length !== 2 || xa[0] !== rows || (xa[1] ?? 0) < needed) {
    throw new ShapeError(`xa is [${xa?.join(", ")}], ${rows} rows of at least ${needed} columns are needed`);
  }
  return rows;
}

function uniformsOf(shapes: readonly Shape[], attrs: LinearUpAttrs, rows: number): Record<string, number> {
  const xa = attrs.segments.length === 0 ? undefined : shapes.at(-2);
  const { offset, scale, xaOffset } = attrs;
  return { rows, offset, scale, xaColumns: xa?.[1] ?? 0, xaOffset };
}

const uniforms = { rows: "u32", offset: "u32", scale: "f32", xaColumns: "u32", xaOffset: "u32" } as const;

/** y = x W^T + bias + scale xa B^T of every segment: x [rows, inputs] -> [rows, outputs]. */
export const linearUpOp: Op<LinearUpAttrs> = {
  name: "linearUp",
  inputs: inputBindings,
  outputs: ({ outputs }) => [rowsBinding("y", outputs)],
  uniforms,
  outputShapes: (shapes, attrs) => [[checkedRows(shapes, attrs), attrs.outputs]],
  dispatch: (shapes, attrs): Dispatch => {
    const { inputs, outputs, canSplit } = attrs;
    const rows = checkedRows(shapes, attrs);
    const work = { rows, tileColumns: Math.ceil(outputs / 4), steps: Math.ceil(inputs / 4) };
    const { workgroups, ...tiling } = tilingOf(work, canSplit);
    return {
      wgsl: linearUpWgsl({ ...attrs, ...tiling, segments: placed(attrs.segments) }),
      uniforms: uniformsOf(shapes, attrs, rows),
      workgroups,
    };
  },
  cpu: linearUpCpu,
};

/**
 * a = activation(gate) up, where [gate | up] = gu is what `linearUp` gives for the stacked gate and up weights:
 * x [rows, inputs] -> a [rows, F], and gu [rows, 2 F] when it is kept.
 */
export const linearUpActOp: Op<LinearUpActAttrs> = {
  name: "linearUpAct",
  inputs: inputBindings,
  outputs: ({ outputs, keeps }) => {
    const [a, gu] = [rowsBinding("a", outputs / 2), { ...rowsBinding("gu", outputs / 2) }];
    return keeps ? [a, gu] : [a];
  },
  uniforms,
  outputShapes: (shapes, attrs) => {
    const rows = checkedRows(shapes, attrs);
    if (attrs.outputs % 2 !== 0) {
      throw new ShapeError(`linearUpAct needs as many gate as up rows, the weight has ${attrs.outputs}`);
    }
    const a = [rows, attrs.outputs / 2];
    return attrs.keeps ? [a, [rows, attrs.outputs]] : [a];
  },
  dispatch: (shapes, attrs): Dispatch => {
    const { inputs, outputs, canSplit } = attrs;
    const rows = checkedRows(shapes, attrs);
    const work = { rows, tileColumns: Math.ceil(outputs / 8), steps: Math.ceil(inputs / 4) };
    const { workgroups, ...tiling } = tilingOf(work, canSplit);
    return {
      wgsl: linearUpActWgsl({ ...attrs, ...tiling, segments: placed(attrs.segments) }),
      uniforms: uniformsOf(shapes, attrs, rows),
      workgroups,
    };
  },
  cpu: linearUpActCpu,
};

function operandsOf(
  x: Tensor,
  weight: WholeWeight,
  { bias, adapter, xa, xaOffset = 0 }: LinearUpOptions,
): { operands: Tensor[]; attrs: LinearUpAttrs } {
  const { words, attrs } = weightAttrs(weight, adapter);
  const operands = [x, words];
  if (bias !== undefined) operands.push(bias);
  if (adapter !== undefined && attrs.segments.length > 0) {
    if (xa === undefined) throw new ShapeError("linearUp: adapters need xa");
    operands.push(xa, adapter.theta);
  }
  const [offset, hasBias] = [adapter?.bOffset ?? 0, bias !== undefined];
  return { operands, attrs: { ...attrs, offset, hasBias, xaOffset } };
}

/** x W^T + bias + scale xa B^T in one dispatch: x [rows, inputs] -> [rows, outputs]. */
export function linearUp(x: Tensor, weight: WholeWeight, options: LinearUpOptions = {}): Tensor {
  const { operands, attrs } = operandsOf(x, weight, options);
  return run(linearUpOp, operands, attrs)[0]!;
}

/**
 * The gated half of a feed-forward block in one dispatch: x [rows, inputs], gate and up rows [2 F, inputs] ->
 * a [rows, F], and with `keeps` what its gradient needs, gu [rows, 2 F].
 */
export function linearUpAct(
  x: Tensor,
  weight: WholeWeight,
  options: LinearUpOptions & { readonly activation: Activation; readonly keeps: boolean },
): { a: Tensor; gu?: Tensor } {
  const { operands, attrs } = operandsOf(x, weight, options);
  const { activation, keeps } = options;
  const [a, gu] = run(linearUpActOp, operands, { ...attrs, activation, keeps });
  return gu === undefined ? { a: a! } : { a: a!, gu };
}
