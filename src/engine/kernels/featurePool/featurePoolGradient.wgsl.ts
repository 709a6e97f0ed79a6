/** Rows of a workgroup: one for each invocation without barriers, else one for each team. */
const serialRows = 64;
const teamRows = 4;
const teamLanes = 16;
/** Features of one answer's list whose gates lie in workgroup memory at a time. */
const slots = 32;

/** Rows of one workgroup. */
export function gradientRows(isSerial: boolean): number {
  return isSerial ? serialRows : teamRows;
}

/** Function that tells whether a feature is active at a row; both are `elements` long. */
function isActiveFunction(elements: number, isVector: boolean): string {
  const product = (a: string, b: string): string => (isVector ? `dot(${a}, ${b})` : `${a} * ${b}`);
  return `fn isActive(row: u32, feature: u32) -> bool {
  var pre = bias[feature];
  for (var k = 0u; k < ${elements}u; k++) {
    pre += ${product(`hidden[row * ${elements}u + k]`, `encoder[feature * ${elements}u + k]`)};
  }
  return pre > max(threshold[feature], 0.0);
}`;
}

/** Shader without barriers: an invocation owns a row, and adds the features that are active there one by one. */
export function serialGradientWgsl(elements: number, isVector: boolean): string {
  return `${isActiveFunction(elements, isVector)}

@compute @workgroup_size(${serialRows})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.x + group.y * 65535u) * ${serialRows}u + lane;
  if (row >= uniforms.rows) { return; }
  for (var side = 0u; side < 2u; side++) {
    let answer = rowAnswers[2u * row + side];
    if (answer < 0) { continue; }
    let list = u32(answer) * uniforms.listed;
    for (var slot = 0u; slot < uniforms.listed; slot++) {
      let index = indices[list + slot];
      let coefficient = coefficients[list + slot];
      if (index < 0 || coefficient == 0.0) { continue; }
      let feature = u32(index);
      if (!isActive(row, feature)) { continue; }
      for (var k = 0u; k < ${elements}u; k++) {
        streamGradient[row * ${elements}u + k] += coefficient * encoder[feature * ${elements}u + k];
      }
    }
  }
}`;
}

/**
 * Shader for a GPU: sixteen invocations own a row. They share the list and leave in workgroup memory which features
 * are active, then share the columns. The rows of a workgroup mostly belong to one answer and read the same features.
 */
export function teamGradientWgsl(elements: number, isVector: boolean): string {
  const gates = 2 * slots;
  return `${isActiveFunction(elements, isVector)}

var<workgroup> factors: array<f32, ${teamRows * gates}>;
var<workgroup> features: array<u32, ${teamRows * gates}>;

@compute @workgroup_size(${teamLanes}, ${teamRows})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row = (group.x + group.y * 65535u) * ${teamRows}u + local.y;
  let isInside = row < uniforms.rows;
  let own = local.y * ${gates}u;
  for (var base = 0u; base < uniforms.listed; base += ${slots}u) {
    for (var gate = local.x; gate < ${gates}u; gate += ${teamLanes}u) {
      let slot = base + gate % ${slots}u;
      var factor = 0.0;
      var index = -1;
      if (isInside && slot < uniforms.listed) {
        let answer = rowAnswers[2u * row + gate / ${slots}u];
        if (answer >= 0) {
          index = indices[u32(answer) * uniforms.listed + slot];
          factor = coefficients[u32(answer) * uniforms.listed + slot];
        }
      }
      let feature = u32(max(index, 0));
      if (index < 0 || factor == 0.0 || !isActive(row, feature)) { factor = 0.0; }
      factors[own + gate] = factor;
      features[own + gate] = feature;
    }
    workgroupBarrier();
    if (isInside) {
      for (var k = local.x; k < ${elements}u; k += ${teamLanes}u) {
        var sum = ${isVector ? "vec4<f32>()" : "0.0"};
        for (var gate = own; gate < own + ${gates}u; gate++) {
          let factor = factors[gate];
          if (factor != 0.0) { sum += factor * encoder[features[gate] * ${elements}u + k]; }
        }
        streamGradient[row * ${elements}u + k] += sum;
      }
    }
    workgroupBarrier();
  }
}`;
}
