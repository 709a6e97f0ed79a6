/** Invocations of one workgroup; each handles one value. */
export const jumpReluWorkgroup = 64;

/** Shader of thresholds by column. */
export const jumpReluWgsl = `@compute @workgroup_size(${jumpReluWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${jumpReluWorkgroup}u + local;
  if (index >= uniforms.size) { return; }
  let value = values[index];
  values[index] = select(0.0, value, value > max(threshold[index % uniforms.width], 0.0));
}`;
