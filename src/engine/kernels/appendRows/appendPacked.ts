import { ShapeError, type Op } from "../../tensor/op.ts";
import { run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { appendPackedCpu } from "./appendRows.cpu.ts";
import { appendPackedText, appendRowsGroup } from "./appendRows.wgsl.ts";

/**
 * Writes the keys and values of packed rows, which are their last columns, into the rows `slots` of both caches in
 * place; slot -1 is skipped and no slot may be named twice. Has no output and no gradient.
 */
export const appendPackedOp: Op = {
  name: "appendPacked",
  inputs: () => [
    { name: "keys", type: "vec4<f32>", isMutable: true }, // [capacity, width]
    { name: "values", type: "vec4<f32>", isMutable: true }, // [capacity, width]
    { name: "qkv", type: "vec4<f32>" }, // [count, queries + 2 · width]
    { name: "slots", type: "i32" }, // [count]
  ],
  outputs: () => [],
  uniforms: { count: "u32" },
  outputShapes: ([keys, values, qkv, slots]) => {
    const [capacity, width] = [keys![0], keys![1]!];
    if (values![0] !== capacity || values![1] !== width)
      throw new ShapeError(`appendPacked got caches of [${keys!.join(", ")}] and [${values!.join(", ")}]`);
    if (width % 4 !== 0 || qkv![1]! % 4 !== 0 || qkv![1]! < 2 * width)
      throw new ShapeError(`appendPacked into rows of ${width} got packed rows of ${qkv![1]}`);
    if (slots![0] !== qkv![0]) throw new ShapeError(`appendPacked of ${qkv![0]} rows got ${slots![0]} slots`);
    return [];
  },
  dispatch: ([keys, , qkv]) => ({
    wgsl: appendPackedText(keys![1]!, qkv![1]!),
    uniforms: { count: qkv![0]! },
    workgroups: foldedGrid(Math.ceil((qkv![0]! * keys![1]!) / 4 / appendRowsGroup)),
  }),
  cpu: appendPackedCpu,
};

/** Stores the keys and values of packed rows [count, queries + 2 · width] in both caches; see `appendPackedOp`. */
export function appendPacked(
  cache: { readonly keys: Tensor; readonly values: Tensor },
  qkv: Tensor,
  slots: Tensor,
): void {
  run(appendPackedOp, [cache.keys, cache.values, qkv, slots], {});
}
