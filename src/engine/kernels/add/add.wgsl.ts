/** Invocations of one workgroup; each handles one value. */
export const addWorkgroup = 64;

/** Shader of the sum of two arrays. */
export const addWgsl = `@compute @workgroup_size(${addWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${addWorkgroup}u + local;
  if (index >= uniforms.size) { return; }
  total[index] = a[index] + b[index];
}`;
