/** Invocations of a workgroup in all optimizer shaders. */
export const adamwWorkgroup = 64;

/** Values that one invocation of the update handles, so that the norm is added up less often. */
export const valuesPerInvocation = 8;

const lanes = adamwWorkgroup;

/** Shader that writes the sum of squares of a share of the gradient into one slot per workgroup. */
export const sumSquaresWgsl = `var<workgroup> partial: array<f32, ${lanes}>;

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  var sum = 0.0;
  for (var i = group.x * ${lanes}u + local; i < uniforms.size; i += uniforms.slots * ${lanes}u) {
    sum += gradient[i] * gradient[i];
  }
  partial[local] = sum;
  workgroupBarrier();
  if (local > 0u) { return; }
  var total = 0.0;
  for (var lane = 0u; lane < ${lanes}u; lane++) { total += partial[lane]; }
  totals[uniforms.slot + group.x] = total;
}`;

/** Shader of the update; every invocation adds up the few totals itself, in the same order. */
export const adamwStepWgsl = `@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  var squares = 0.0;
  for (var slot = 0u; slot < uniforms.slots; slot++) { squares += totals[slot]; }
  // All exponent bits set is infinity or NaN; a comparison of floats may be optimised away.
  if ((bitcast<u32>(squares) & 0x7f800000u) == 0x7f800000u) { return; }
  var factor = 1.0;
  if (uniforms.maxGradNorm > 0.0) { factor = min(1.0, uniforms.maxGradNorm / (sqrt(squares) + 1e-6)); }
  let first = (group.x + group.y * 65535u) * ${lanes * valuesPerInvocation}u + local;
  for (var turn = 0u; turn < ${valuesPerInvocation}u; turn++) {
    let i = first + turn * ${lanes}u;
    if (i >= uniforms.size) { return; }
    let g = gradient[i] * factor;
    let mean = uniforms.beta1 * m[i] + (1.0 - uniforms.beta1) * g;
    let square = uniforms.beta2 * v[i] + (1.0 - uniforms.beta2) * g * g;
    m[i] = mean;
    v[i] = square;
    let pull = mean / uniforms.biasCorrection1 / (sqrt(square / uniforms.biasCorrection2) + uniforms.epsilon);
    theta[i] = theta[i] * (1.0 - uniforms.learningRate * uniforms.weightDecay) - uniforms.learningRate * pull;
  }
}`;

/** Shader that adds a scaled gradient to a running sum. */
export const accumulateWgsl = `@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let i = (group.x + group.y * 65535u) * ${lanes}u + local;
  if (i >= uniforms.size) { return; }
  sum[i] += uniforms.scale * gradient[i];
}`;
