/** Invocations of a workgroup in all shaders of the flat optimizer. */
export const adamwClipWorkgroup = 64;

/** Parameters that one invocation updates, so that the norm is added up less often. */
export const parametersPerInvocation = 16;

const lanes = adamwClipWorkgroup;

/** Shader that writes one partial sum of squares per workgroup. */
export const gradientSquaresWgsl = `var<workgroup> shares: array<f32, ${lanes}>;

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  var sum = 0.0;
  for (var i = group.x * ${lanes}u + local; i < uniforms.size; i += uniforms.slots * ${lanes}u) {
    sum += gradient[i] * gradient[i];
  }
  shares[local] = sum;
  workgroupBarrier();
  if (local > 0u) { return; }
  var total = 0.0;
  for (var lane = 0u; lane < ${lanes}u; lane++) { total += shares[lane]; }
  partials[group.x] = total;
}`;

/** Shader of the clipped update; every workgroup adds up the partial sums itself, in the same order. */
export const adamwClipWgsl = `var<workgroup> shares: array<f32, ${lanes}>;

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  var share = 0.0;
  for (var slot = local; slot < uniforms.slots; slot += ${lanes}u) { share += squares[slot]; }
  shares[local] = share;
  workgroupBarrier();
  var total = 0.0;
  for (var lane = 0u; lane < ${lanes}u; lane++) { total += shares[lane]; }
  let norm = sqrt(total);
  // All exponent bits set is infinity or NaN; a comparison of floats may be optimised away.
  let isSkipped = (bitcast<u32>(total) & 0x7f800000u) == 0x7f800000u;
  let number = group.x + group.y * 65535u;
  if (number == 0u && local == 0u) {
    report[0] = norm;
    report[1] = select(0.0, 1.0, isSkipped);
  }
  if (isSkipped) { return; }
  var factor = 1.0;
  if (uniforms.maxGradNorm > 0.0) { factor = min(1.0, uniforms.maxGradNorm / (norm + 1e-6)); }
  let first = number * ${lanes * parametersPerInvocation}u + local;
  for (var turn = 0u; turn < ${parametersPerInvocation}u; turn++) {
    let i = first + turn * ${lanes}u;
    if (i >= uniforms.size) { return; }
    let g = gradients[i] * factor;
    let mean = uniforms.beta1 * m[i] + (1.0 - uniforms.beta1) * g;
    let square = uniforms.beta2 * v[i] + (1.0 - uniforms.beta2) * g * g;
    m[i] = mean;
    v[i] = square;
    let pull = mean / uniforms.biasCorrection1 / (sqrt(square / uniforms.biasCorrection2) + uniforms.epsilon);
    theta[i] = theta[i] * (1.0 - uniforms.learningRate * uniforms.weightDecay) - uniforms.learningRate * pull;
  }
}`;

/** Shader that adds a gradient to a range of a running sum. */
export const accumulateAtWgsl = `@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let i = (group.x + group.y * 65535u) * ${lanes}u + local;
  if (i >= uniforms.size) { return; }
  sum[uniforms.offset + i] += gradient[i];
}`;
