/** Rows of a workgroup: one for each invocation without barriers, else one for all of them. */
const lanes = 64;

/** What the text depends on beside the length of a row. */
interface SteerText {
  readonly mode: "add" | "clamp";
  readonly isVector: boolean;
}

/** Rows of one workgroup. */
export function steeredRows(isSerial: boolean): number {
  return isSerial ? lanes : 1;
}

/** Statements that add to `pre` the products of a row with the encoder's, from element `first` on. */
function products(
  elements: number,
  { isVector }: SteerText,
  { first, step }: { first: string; step: number },
) {
  const product = (a: string, b: string): string => (isVector ? `dot(${a}, ${b})` : `${a} * ${b}`);
  return `for (var k = ${first}; k < ${elements}u; k += ${step}u) {
    pre += ${product("stream[start + k]", "encoder[own + k]")};
  }`;
}

const activation = `if (pre > max(threshold[uniforms.feature], 0.0)) { amount -= pre; }`;

/** Shader without barriers: an invocation owns a row. */
export function serialSteerWgsl(elements: number, text: SteerText): string {
  const clamp = `var pre = bias[uniforms.feature];
  ${products(elements, text, { first: "0u", step: 1 })}
  ${activation}`;
  return `@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.x + group.y * 65535u) * ${lanes}u + lane;
  if (row >= uniforms.rows) { return; }
  if (tokenIds[row] == uniforms.skippedToken) { return; }
  let start = row * ${elements}u;
  let own = uniforms.feature * ${elements}u;
  var amount = uniforms.value;
  ${text.mode === "clamp" ? clamp : ""}
  for (var k = 0u; k < ${elements}u; k++) { stream[start + k] += amount * decoder[own + k]; }
}`;
}

/** Shader for a GPU: a workgroup owns a row, and adds up what its invocations found always in the same order. */
export function teamSteerWgsl(elements: number, text: SteerText): string {
  const isClamp = text.mode === "clamp";
  const clamp = `var pre = 0.0;
  if (isSteered) {
  ${products(elements, text, { first: "lane", step: lanes })}
  }
  parts[lane] = pre;
  workgroupBarrier();
  pre = bias[uniforms.feature];
  for (var other = 0u; other < ${lanes}u; other++) { pre += parts[other]; }
  ${activation}`;
  return `${isClamp ? `var<workgroup> parts: array<f32, ${lanes}>;\n` : ""}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535u;
  let isInside = row < uniforms.rows;
  let isSteered = isInside && tokenIds[min(row, uniforms.rows - 1u)] != uniforms.skippedToken;
  let start = row * ${elements}u;
  let own = uniforms.feature * ${elements}u;
  var amount = uniforms.value;
  ${isClamp ? clamp : ""}
  if (!isSteered) { return; }
  for (var k = lane; k < ${elements}u; k += ${lanes}u) { stream[start + k] += amount * decoder[own + k]; }
}`;
}
