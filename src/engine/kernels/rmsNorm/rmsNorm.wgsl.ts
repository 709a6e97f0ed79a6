/** Rows of one workgroup. */
export const normRows = 4;

// Lanes of one row: neighbours read neighbouring values, and one barrier is enough to add them up.
const lanes = 16;

function rowKernel(term: string, body: string): string {
  return `var<workgroup> partial: array<f32, ${normRows * lanes}>;

@compute @workgroup_size(${lanes}, ${normRows})
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
  let wanted = (group.x + group.y * 65535u) * ${normRows}u + local.y;
  let row = min(wanted, uniforms.rows - 1u);
  let start = row * uniforms.columns;
  var sum = 0.0;
  for (var column = local.x; column < uniforms.columns; column += ${lanes}u) {
    sum += ${term};
  }
  partial[local.y * ${lanes}u + local.x] = sum;
  workgroupBarrier();
  if (wanted >= uniforms.rows) { return; }
  var all = 0.0;
  for (var lane = 0u; lane < ${lanes}u; lane++) {
    all += partial[local.y * ${lanes}u + lane];
  }
  let mean = all / f32(uniforms.columns);
${body}
}`;
}

/** Shader of the forward pass: y and rstd. */
export const rmsNormWgsl = rowKernel(
  "x[start + column] * x[start + column]",
  `  let inverse = 1.0 / sqrt(mean + uniforms.epsilon);
  if (local.x == 0u) { rstd[row] = inverse; }
  for (var column = local.x; column < uniforms.columns; column += ${lanes}u) {
    y[start + column] = x[start + column] * inverse * gain[column];
  }`,
);

/** Shader of the gradient with respect to x. */
export const rmsNormDxWgsl = rowKernel(
  "gain[column] * dy[start + column] * x[start + column]",
  `  let inverse = rstd[row];
  let pull = mean * inverse * inverse;
  for (var column = local.x; column < uniforms.columns; column += ${lanes}u) {
    dx[start + column] = inverse * (gain[column] * dy[start + column] - x[start + column] * pull);
  }`,
);
