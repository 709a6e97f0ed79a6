/** Rows of one workgroup. */
export const normRows = 8;

const lanes = 8;

/**
 * Each lane of a row adds up the whole row itself, then writes its own share of the columns. The repeated reads
 * come from the cache and cost less than a barrier does, above all on a software GPU.
 */
function rowKernel(term: string, body: string): string {
  return `@compute @workgroup_size(${lanes}, ${normRows})
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
  let row = (group.x + group.y * 65535u) * ${normRows}u + local.y;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  var sum = 0.0;
  for (var column = 0u; column < uniforms.columns; column++) {
    sum += ${term};
  }
  let mean = sum / f32(uniforms.columns);
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
