/** Invocations of one workgroup; each handles one value. */
export const dropoutWorkgroup = 64;

/** Shader of dropout; its hash is `counterHash` of `dropout.cpu.ts`, word for word. */
export const dropoutWgsl = `fn permuted(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(${dropoutWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${dropoutWorkgroup}u + local;
  if (index >= uniforms.rows * uniforms.columns) { return; }
  let row = index / uniforms.columns;
  let column = index % uniforms.columns;
  let hash = permuted(column + permuted(row + permuted(uniforms.seed)));
  kept[index] = select(0.0, x[index] * uniforms.factor, hash >= uniforms.threshold);
}`;
