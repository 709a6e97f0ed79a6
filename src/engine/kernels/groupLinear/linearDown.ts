import type { Op, Shape } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import type { WholeWeight } from "../weightLayout/packedWeight.ts";
import { linearDownWgsl } from "./forward.wgsl.ts";
import {
  checkGroup,
  downFactors,
  rowsBinding,
  rowsOf,
  stackedBinding,
  totalRank,
  weightAttrs,
} from "./groupLinear.ts";
import type { GroupAdapter, GroupAttrs } from "./groupLinear.ts";
import { linearDownCpu } from "./linearDown.cpu.ts";
import { tilingOf } from "./tiling.ts";

function checkedRows(shapes: readonly Shape[], attrs: GroupAttrs): number {
  const theta = attrs.segments.length > 0 ? shapes.at(-1) : undefined;
  const bias = attrs.hasBias ? shapes[2] : undefined;
  checkGroup(attrs, { weight: shapes[1], bias, theta }, downFactors(attrs));
  return rowsOf("x", shapes[0], attrs.inputs);
}

/** y = x W^T + bias [rows, outputs] and, with adapters, ya = x A^T [rows, R], from x [rows, inputs]. */
export const linearDownOp: Op<GroupAttrs> = {
  name: "linearDown",
  inputs: (attrs) => [
    rowsBinding("x", attrs.inputs),
    stackedBinding(attrs),
    ...(attrs.hasBias ? [{ name: "bias", type: "f32" } as const] : []),
    ...(attrs.segments.length > 0 ? [{ name: "theta", type: "f32" } as const] : []),
  ],
  outputs: ({ outputs, segments }) => {
    const y = rowsBinding("y", outputs);
    return segments.length > 0 ? [y, rowsBinding("ya", totalRank(segments))] : [y];
  },
  uniforms: { rows: "u32", offset: "u32" },
  outputShapes: (shapes, attrs) => {
    const rows = checkedRows(shapes, attrs);
    const y = [rows, attrs.outputs];
    return attrs.segments.length > 0 ? [y, [rows, totalRank(attrs.segments)]] : [y];
  },
  dispatch: (shapes, attrs) => {
    const rows = checkedRows(shapes, attrs);
    const rank = totalRank(attrs.segments);
    const tileColumns = Math.ceil(attrs.outputs / 4) + Math.ceil(rank / 4);
    const work = { rows, tileColumns, steps: Math.ceil(attrs.inputs / 4) };
    const { workgroups, ...tiling } = tilingOf(work, attrs.canSplit);
    return {
      wgsl: linearDownWgsl({ ...attrs, ...tiling, rank }),
      uniforms: { rows, offset: attrs.offset },
      workgroups,
    };
  },
  cpu: linearDownCpu,
};

/**
 * x W^T + bias [rows, outputs], and x A^T [rows, R] for whoever adds the adapters' part later, in one dispatch.
 * Without adapters only the first.
 */
export function linearDown(
  x: Tensor,
  weight: WholeWeight,
  { bias, adapter }: { readonly bias?: Tensor; readonly adapter?: GroupAdapter } = {},
): { y: Tensor; ya?: Tensor } {
  const { words, attrs } = weightAttrs(weight, adapter);
  const operands = [x, words];
  if (bias !== undefined) operands.push(bias);
  if (adapter !== undefined && attrs.segments.length > 0) operands.push(adapter.theta);
  const [y, ya] = run(linearDownOp, operands, {
    ...attrs,
    offset: adapter?.aOffset ?? 0,
    hasBias: bias !== undefined,
  });
  return ya === undefined ? { y: y! } : { y: y!, ya };
}
