/** Shader texts of what attention backward needs first: inner products of the outputs and their gradients. */
import { attentionGroup, itemOfInvocation } from "./attention.wgsl.ts";

/** Row sums of the output times its gradient, one invocation per (row, head). */
export function attentionDeltaText(headDim: number): string {
  const vectors = headDim / 4;
  return `
@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = ${itemOfInvocation};
  if (item >= uniforms.items) { return; }
  let own = item * ${vectors}u;
  var sum = 0.0;
  for (var i = own; i < own + ${vectors}u; i++) { sum += dot(dOutput[i], o[i]); }
  delta[item] = sum;
}`;
}

/**
 * Adds the adapter's part to the outputs' gradient in place and takes the row sums on the way, one invocation per
 * (row, head). The stacked A [rank, heads · headDim] lies in `theta` from `aOffset` on, which need not be a vector's.
 */
export function attentionPreText({
  heads,
  headDim,
  rank,
}: {
  heads: number;
  headDim: number;
  rank: number;
}): string {
  const vectors = headDim / 4;
  const adapter = `
    var at = uniforms.aOffset + head * ${headDim}u + i * 4u;
    for (var r = 0u; r < ${rank}u; r++) {
      upstream += dxa[row * ${rank}u + r] * vec4<f32>(theta[at], theta[at + 1u], theta[at + 2u], theta[at + 3u]);
      at += ${heads * headDim}u;
    }
    dOutput[own + i] = upstream;`;
  return `
@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  ${rank === 0 ? "_ = uniforms.aOffset;" : ""}
  let item = ${itemOfInvocation};
  if (item >= uniforms.rows * ${heads}u) { return; }
  // Neighbours take neighbouring rows of one head: they read the same factors at the same time.
  let head = item / uniforms.rows;
  let row = item % uniforms.rows;
  let own = (row * ${heads}u + head) * ${vectors}u;
  var sum = 0.0;
  for (var i = 0u; i < ${vectors}u; i++) {
    var upstream = dOutput[own + i];${rank === 0 ? "" : adapter}
    sum += dot(upstream, o[own + i]);
  }
  delta[row * ${heads}u + head] = sum;
}`;
}
