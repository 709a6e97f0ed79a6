import type { RopeAttributes } from "./rope.ts";

/** Invocations of a workgroup; each turns (or copies) one pair of one head. */
export const ropeGroup = 64;

/** Shader text of the rotation for given heads and head width. */
export function ropeText({ heads, headDim, rotary, isInterleaved }: RopeAttributes): string {
  return `
const headPairs = ${headDim / 2}u;
const planes = ${rotary / 2}u;
const pairs = ${(heads * headDim) / 2}u; // of one row

@compute @workgroup_size(${ropeGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${ropeGroup}u + lane;
  if (item >= uniforms.rows * pairs) { return; }
  let row = item / pairs;
  let plane = item % headPairs;
  let start = item / headPairs * ${headDim}u;
${
  rotary < headDim
    ? `  if (plane >= planes) {
    y[start + 2u * plane] = x[start + 2u * plane];
    y[start + 2u * plane + 1u] = x[start + 2u * plane + 1u];
    return;
  }
`
    : ""
}  let first = start + ${isInterleaved ? "2u * plane" : "plane"};
  let second = first + ${isInterleaved ? "1u" : "planes"};
  let turn = (u32(positions[row]) * planes + plane) * 2u;
  let cosine = table[turn];
  let sine = table[turn + 1u] * uniforms.direction;
  let a = x[first];
  let b = x[second];
  y[first] = a * cosine - b * sine;
  y[second] = b * cosine + a * sine;
}`;
}
