/** Rows of one workgroup. */
export const layerNormRows = 8;

const lanes = 8;

/** As in `rmsNorm`, every lane adds up the whole row itself: the repeated reads cost less than a barrier. */
function rowKernel(body: string): string {
  return `@compute @workgroup_size(${lanes}, ${layerNormRows})
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
  let row = (group.x + group.y * 65535u) * ${layerNormRows}u + local.y;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.columns;
  let width = f32(uniforms.columns);
${body}
}`;
}

/** Shader of the forward pass: y, and mean and rstd. The mean is taken first, so that a large one costs no digits. */
export const layerNormWgsl = rowKernel(`  var sum = 0.0;
  for (var column = 0u; column < uniforms.columns; column++) { sum += x[start + column]; }
  let mean = sum / width;
  var squares = 0.0;
  for (var column = 0u; column < uniforms.columns; column++) {
    let distance = x[start + column] - mean;
    squares += distance * distance;
  }
  let rstd = 1.0 / sqrt(squares / width + uniforms.epsilon);
  if (local.x == 0u) {
    statistics[2u * row] = mean;
    statistics[2u * row + 1u] = rstd;
  }
  for (var column = local.x; column < uniforms.columns; column += ${lanes}u) {
    y[start + column] = (x[start + column] - mean) * rstd * gain[column] + bias[column];
  }`);

/** Shader of the gradient with respect to x. */
export const layerNormDxWgsl = rowKernel(`  let mean = statistics[2u * row];
  let rstd = statistics[2u * row + 1u];
  var sum = 0.0;
  var along = 0.0;
  for (var column = 0u; column < uniforms.columns; column++) {
    let pull = gain[column] * dy[start + column];
    sum += pull;
    along += pull * (x[start + column] - mean);
  }
  let shift = sum / width;
  let slope = along / width * rstd * rstd;
  for (var column = local.x; column < uniforms.columns; column += ${lanes}u) {
    let pull = gain[column] * dy[start + column];
    dx[start + column] = rstd * (pull - shift - (x[start + column] - mean) * slope);
  }`);
