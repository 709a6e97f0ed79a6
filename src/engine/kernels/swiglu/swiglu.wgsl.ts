/** Invocations of one workgroup; each handles one value. */
export const swigluWorkgroup = 64;

function elementKernel(body: string): string {
  return `@compute @workgroup_size(${swigluWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${swigluWorkgroup}u + local;
  if (index >= uniforms.size) { return; }
  let g = gate[index];
  // Below -80 the exponential could overflow and the sigmoid is 0 anyway.
  let sigmoid = 1.0 / (1.0 + exp(min(-g, 80.0)));
${body}
}`;
}

/** Shader of the forward pass. */
export const swigluWgsl = elementKernel("  product[index] = g * sigmoid * up[index];");

/** Shader of both gradients. */
export const swigluGradWgsl = elementKernel(`  let d = dy[index];
  dgate[index] = d * up[index] * sigmoid * (1.0 + g * (1.0 - sigmoid));
  dup[index] = d * g * sigmoid;`);
