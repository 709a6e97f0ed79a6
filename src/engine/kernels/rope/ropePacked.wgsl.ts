import type { PackedHeads } from "./packedHeads.ts";

/** Invocations of a workgroup; each turns one pair of one head. */
export const ropePackedGroup = 64;

/** Shader text of the rotation of packed rows. */
export function ropePackedText({ heads, keyValueHeads, headDim, rotary }: PackedHeads): string {
  return `
const planes = ${rotary / 2}u;
const pairs = ${((heads + keyValueHeads) * rotary) / 2}u; // of one row

@compute @workgroup_size(${ropePackedGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${ropePackedGroup}u + lane;
  if (item >= uniforms.rows * pairs) { return; }
  let row = item / pairs;
  let pair = item % pairs;
  let plane = pair % planes;
  let first = row * ${(heads + 2 * keyValueHeads) * headDim}u + pair / planes * ${headDim}u + plane;
  let turn = (u32(positions[row]) * planes + plane) * 2u;
  let cosine = table[turn];
  let sine = table[turn + 1u];
  let a = qkv[first];
  let b = qkv[first + planes];
  qkv[first] = a * cosine - b * sine;
  qkv[first + planes] = b * cosine + a * sine;
}`;
}
