/** Invocations of a workgroup; each writes one element. */
export const gatherRowsGroup = 64;

function elementKernel(width: number, isVectorised: boolean, body: (element: string) => string): string {
  return `
const elements = ${isVectorised ? width / 4 : width}u; // of one row

@compute @workgroup_size(${gatherRowsGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${gatherRowsGroup}u + lane;
${body(isVectorised ? "vec4<f32>" : "f32")}
}`;
}

/** Shader of the gather for rows of `width` numbers, moved four at a time when `isVectorised`. */
export function gatherRowsText(width: number, isVectorised: boolean): string {
  return elementKernel(
    width,
    isVectorised,
    (element) => `  _ = &inverse; // only the gradient reads it
  if (item >= uniforms.count * elements) { return; }
  let source = indices[item / elements];
  var value = ${element}();
  if (source >= 0) {
    value = x[u32(source) * elements + item % elements];
  }
  y[item] = value;`,
  );
}

/** Shader of the gather's gradient, for rows of `width` numbers. */
export function sumEntriesText(width: number, isVectorised: boolean): string {
  return elementKernel(
    width,
    isVectorised,
    (element) => `  if (item >= uniforms.rows * elements) { return; }
  let first = inverse[2u * (item / elements)];
  let second = inverse[2u * (item / elements) + 1u];
  var value = ${element}();
  if (first >= 0) {
    value = dy[u32(first) * elements + item % elements];
  }
  if (second >= 0) {
    value += dy[u32(second) * elements + item % elements];
  }
  dx[item] = value;`,
  );
}
