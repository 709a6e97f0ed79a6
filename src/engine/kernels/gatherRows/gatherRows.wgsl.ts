/** Invocations of a workgroup; each moves one element. */
export const gatherRowsGroup = 64;

/** Shader text for rows of `width` numbers, moved four at a time when `isVectorised`. */
export function gatherRowsText(width: number, isVectorised: boolean): string {
  const element = isVectorised ? "vec4<f32>" : "f32";
  const elements = isVectorised ? width / 4 : width;
  return `
const elements = ${elements}u; // of one row

@compute @workgroup_size(${gatherRowsGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  _ = &inverse; // only the gradient reads it
  let item = (group.x + group.y * 65535u) * ${gatherRowsGroup}u + lane;
  if (item >= uniforms.count * elements) { return; }
  let source = indices[item / elements];
  var value = ${element}();
  if (source >= 0) {
    value = x[u32(source) * elements + item % elements];
  }
  y[item] = value;
}`;
}
