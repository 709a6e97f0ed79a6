import type { Activation } from "./activation.ts";
import { activationWgsl } from "./activation.wgsl.ts";

/** Invocations of one workgroup; each handles one value. */
export const activationWorkgroup = 64;

/** A shader that runs `body` for one `index` of `uniforms.size` values. */
export function elementKernel(act: Activation, body: string): string {
  return `${activationWgsl(act)}

@compute @workgroup_size(${activationWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let index = (group.x + group.y * 65535u) * ${activationWorkgroup}u + local;
  if (index >= uniforms.size) { return; }
${body}
}`;
}

/** Shader of the forward pass. */
export function gatedActivationWgsl(act: Activation): string {
  return elementKernel(act, "  product[index] = activate(gate[index]).value * up[index];");
}

/** Shader of both gradients. */
export function gatedActivationGradientWgsl(act: Activation): string {
  return elementKernel(
    act,
    `  let d = dy[index];
  let activated = activate(gate[index]);
  dgate[index] = d * up[index] * activated.slope;
  dup[index] = d * activated.value;`,
  );
}
