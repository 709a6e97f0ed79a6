/** Columns of one workgroup. */
export const reducedColumns = 8;

const rowLanes = 16;

/**
 * Shader that fills `total[column]` with the sum of `term` over all rows, added in a fixed order.
 * `term` is an expression of `row` and `index` (= row * columns + column).
 */
export function columnReductionWgsl(term: string): string {
  return `var<workgroup> partial: array<f32, ${reducedColumns * rowLanes}>;

@compute @workgroup_size(${reducedColumns}, ${rowLanes})
fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {
  let column = group.x * ${reducedColumns}u + local.x;
  var sum = 0.0;
  if (column < uniforms.columns) {
    for (var row = local.y; row < uniforms.rows; row += ${rowLanes}u) {
      let index = row * uniforms.columns + column;
      sum += ${term};
    }
  }
  partial[local.y * ${reducedColumns}u + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0u && column < uniforms.columns) {
    var all = 0.0;
    for (var lane = 0u; lane < ${rowLanes}u; lane++) {
      all += partial[lane * ${reducedColumns}u + local.x];
    }
    total[column] = all;
  }
}`;
}
