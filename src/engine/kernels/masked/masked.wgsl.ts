/** Invocations of one workgroup; each handles one value. */
export const maskedWorkgroup = 64;

/** Shader of the values at which a mask is positive. */
export const maskedWgsl = `@compute @workgroup_size(${maskedWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${maskedWorkgroup}u + local;
  if (index >= uniforms.size) { return; }
  kept[index] = select(0.0, values[index], mask[index] > 0.0);
}`;
