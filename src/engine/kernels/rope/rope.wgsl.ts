import type { RopeAttributes } from "./rope.ts";

/** Invocations of a workgroup; each turns one pair of one head. */
export const ropeGroup = 64;

/** Shader text of the rotation for given heads and head width. */
export function ropeText({ heads, headDim }: RopeAttributes): string {
  return `
const half = ${headDim / 2}u;
const pairs = ${(heads * headDim) / 2}u; // of one row

@compute @workgroup_size(${ropeGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${ropeGroup}u + lane;
  if (item >= uniforms.rows * pairs) { return; }
  let row = item / pairs;
  let pair = item % pairs;
  let plane = pair % half;
  let first = row * pairs * 2u + (pair / half) * half * 2u + plane;
  let turn = (u32(positions[row]) * half + plane) * 2u;
  let cosine = table[turn];
  let sine = table[turn + 1u] * uniforms.direction;
  let a = x[first];
  let b = x[first + half];
  y[first] = a * cosine - b * sine;
  y[first + half] = b * cosine + a * sine;
}`;
}
