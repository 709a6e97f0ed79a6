/** Sum of two tensors of one shape, with which the tape adds up the gradients of a tensor that is used twice. */
import type { Op } from "./op.ts";
import { ShapeError } from "./op.ts";
import { sizeOf } from "./shader.ts";

const WORKGROUP = 64;
const MAX_WORKGROUPS = 65_535;

/** y = a + b, element by element; inputs and output have one shape. */
export const accumulateOp: Op = {
  name: "tapeSum",
  inputs: () => [
    { name: "a", type: "f32" },
    { name: "b", type: "f32" },
  ],
  outputs: () => [{ name: "y", type: "f32" }],
  uniforms: { count: "u32" },
  outputShapes: ([a, b]) => {
    if (a === undefined || b === undefined || a.join() !== b.join()) {
      throw new ShapeError(`cannot add [${String(b)}] to [${String(a)}]`);
    }
    return [a];
  },
  dispatch: ([a]) => {
    const count = sizeOf(a ?? []);
    const groups = Math.ceil(count / WORKGROUP);
    const rows = Math.ceil(groups / MAX_WORKGROUPS);
    return {
      wgsl: `
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (wid.x + wid.y * ${MAX_WORKGROUPS}u) * ${WORKGROUP}u + lane;
  if (i < uniforms.count) {
    y[i] = a[i] + b[i];
  }
}`,
      uniforms: { count },
      workgroups: [Math.min(groups, MAX_WORKGROUPS), rows, 1],
    };
  },
  cpu: ([a, b], [y]) => {
    if (a === undefined || b === undefined || y === undefined)
      throw new ShapeError("accumulate takes two inputs");
    for (let i = 0; i < y.length; i++) y[i] = (a[i] ?? 0) + (b[i] ?? 0);
  },
};
