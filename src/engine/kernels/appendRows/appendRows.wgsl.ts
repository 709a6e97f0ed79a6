/** Invocations of a workgroup; each writes one number. */
export const appendRowsGroup = 64;

/** Shader text for rows of `width` numbers. */
export function appendRowsText(width: number): string {
  return `
const width = ${width}u;

@compute @workgroup_size(${appendRowsGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${appendRowsGroup}u + lane;
  if (item >= uniforms.count * width) { return; }
  let slot = slots[item / width];
  if (slot >= 0) {
    cache[u32(slot) * width + item % width] = rows[item];
  }
}`;
}

/** Shader text for the last two widths of packed rows of `stride` numbers; an invocation copies a vector of each. */
export function appendPackedText(width: number, stride: number): string {
  return `
const width = ${width / 4}u; // vectors
const stride = ${stride / 4}u;

@compute @workgroup_size(${appendRowsGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${appendRowsGroup}u + lane;
  if (item >= uniforms.count * width) { return; }
  let row = item / width;
  let slot = slots[row];
  if (slot >= 0) {
    let at = u32(slot) * width + item % width;
    let source = (row + 1u) * stride - 2u * width + item % width;
    keys[at] = qkv[source];
    values[at] = qkv[source + width];
  }
}`;
}
