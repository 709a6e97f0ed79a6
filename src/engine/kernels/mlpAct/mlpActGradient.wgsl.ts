import type { Activation } from "../gatedActivation/activation.ts";
import { activationWgsl } from "../gatedActivation/activation.wgsl.ts";

/** Invocations of a workgroup; each owns `tileRows` rows of one column (or of four neighbouring ones). */
export const mlpActWorkgroup = 64;

/** Rows of one invocation, so that a value of A is read once for all of them. */
export const tileRows = 4;

/** What changes the text of the shader. */
export interface MlpActVariant {
  readonly act: Activation;
  readonly rank: number;
  /** Columns of the activation. */
  readonly width: number;
  /** Columns are read four at a time. */
  readonly isVector: boolean;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Shader that turns gate and up into their gradients in place. */
export function mlpActGradientWgsl({ act, rank, width, isVector }: MlpActVariant): string {
  const rows = range(tileRows);
  const step = isVector ? 4 : 1;
  const factors = isVector
    ? "vec4<f32>(theta[at], theta[at + 1u], theta[at + 2u], theta[at + 3u])"
    : "theta[at]";
  const adapterLoop =
    rank === 0
      ? ""
      : `  for (var i = 0u; i < ${rank}u; i++) {
    let at = uniforms.aOffset + i * ${width}u + column * ${step}u;
    let factors = ${factors};
${rows.map((i) => `    sum${i} += dxa[row${i} * ${rank}u + i] * factors;`).join("\n")}
  }
`;
  return `${activationWgsl(act, step)}

const columns = ${width / step}u;

fn put(row: u32, column: u32, da: Value) {
  if (row >= uniforms.rows) { return; }
  let gate = row * (2u * columns) + column;
  let activated = activate(gu[gate]);
  gu[gate] = da * gu[gate + columns] * activated.slope;
  gu[gate + columns] = da * activated.value;
}

@compute @workgroup_size(${mlpActWorkgroup})
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let item = (group.x + group.y * 65535u) * ${mlpActWorkgroup}u + local;
  let first = item / columns * ${tileRows}u;
  let column = item % columns;
  if (first >= uniforms.rows) { return; }
${rows.map((i) => `  let row${i} = min(first + ${i}u, uniforms.rows - 1u);`).join("\n")}
${rows.map((i) => `  var sum${i} = da0[row${i} * columns + column];`).join("\n")}
${adapterLoop}${rows.map((i) => `  put(first + ${i}u, column, sum${i});`).join("\n")}
}`;
}
