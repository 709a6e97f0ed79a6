/** Columns of one workgroup. */
export const reducedColumns = 64;

/**
 * Shader that fills `total[column]` with the sum of `term` over all rows, added in their order.
 * `term` is an expression of `row` and `index` (= row * columns + column).
 */
export function columnReductionWgsl(term: string): string {
  return `@compute @workgroup_size(${reducedColumns})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  if (column >= uniforms.columns) { return; }
  var sum = 0.0;
  for (var row = 0u; row < uniforms.rows; row++) {
    let index = row * uniforms.columns + column;
    sum += ${term};
  }
  total[column] = sum;
}`;
}
