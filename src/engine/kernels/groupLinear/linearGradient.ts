import type { Op, Shape } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import type { WholeWeight } from "../weightLayout/packedWeight.ts";
import { linearGradientWgsl } from "./gradient.wgsl.ts";
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
import { linearGradientCpu } from "./linearGradient.cpu.ts";
import { tilingOf } from "./tiling.ts";

function checkedRows([dy, weight, theta]: readonly Shape[], attrs: GroupAttrs): number {
  checkGroup(attrs, { weight, theta }, upFactors(attrs));
  return rowsOf("dy", dy, attrs.outputs);
}

/**
 * Gradients of a group with respect to its rows: dx = dy W [rows, inputs] and, with adapters, dxa = scale dy B of
 * every segment [rows, R], from dy [rows, outputs]. The whole gradient of x is dx + dxa A.
 */
export const linearGradientOp: Op<GroupAttrs> = {
  name: "linearGradient",
  inputs: (attrs) => [
    rowsBinding("dy", attrs.outputs),
    stackedBinding(attrs),
    ...(attrs.segments.length > 0 ? [{ name: "theta", type: "f32" } as const] : []),
  ],
  outputs: ({ inputs, segments }) => {
    const dx = rowsBinding("dx", inputs);
    return segments.length > 0 ? [dx, { name: "dxa", type: "f32" }] : [dx];
  },
  uniforms: { rows: "u32", offset: "u32", scale: "f32" },
  outputShapes: (shapes, attrs) => {
    const rows = checkedRows(shapes, attrs);
    const dx = [rows, attrs.inputs];
    return attrs.segments.length > 0 ? [dx, [rows, totalRank(attrs.segments)]] : [dx];
  },
  dispatch: (shapes, attrs) => {
    const { inputs, outputs, segments, offset, scale } = attrs;
    const rows = checkedRows(shapes, attrs);
    const lowRankTiles = segments.reduce((sum, { rank }) => sum + Math.ceil(rank / 4), 0);
    const tileColumns = Math.ceil(inputs / 4) + lowRankTiles;
    const work = { rows, tileColumns, steps: Math.ceil(outputs / 4) };
    const { workgroups, ...tiling } = tilingOf(work, attrs.canSplit);
    return {
      wgsl: linearGradientWgsl({
        ...attrs,
        ...tiling,
        segments: placed(segments),
        rank: totalRank(segments),
      }),
      uniforms: { rows, offset, scale },
      workgroups,
    };
  },
  cpu: linearGradientCpu,
};

/** dy W [rows, inputs], and scale dy B [rows, R] with adapters, in one dispatch: dy [rows, outputs]. */
export function linearGradient(
  dy: Tensor,
  weight: WholeWeight,
  { adapter }: { readonly adapter?: GroupAdapter } = {},
): { dx: Tensor; dxa?: Tensor } {
  const { words, attrs } = weightAttrs(weight, adapter);
  const operands = [dy, words];
  if (adapter !== undefined && attrs.segments.length > 0) operands.push(adapter.theta);
  const [dx, dxa] = run(linearGradientOp, operands, {
    ...attrs,
    offset: adapter?.bOffset ?? 0,
    hasBias: false,
  });
  return dxa === undefined ? { dx: dx! } : { dx: dx!, dxa };
}
