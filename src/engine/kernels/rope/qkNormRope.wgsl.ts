import type { PackedHeads } from "./packedHeads.ts";

/** Invocations of a workgroup. */
export const qkNormGroup = 64;

/** What changes the text of the shaders. */
export interface QkNormVariant extends PackedHeads {
  /** Invocations that share a head; 1 needs no barrier. */
  readonly lanes: number;
}

/** Text that adds `own` up over the lanes of a head, always in the same order. */
function sumOverLanes(lanes: number, type: string): string {
  if (lanes === 1) return "  let total = own;";
  return `  shares[local] = own;
  workgroupBarrier();
  var total = ${type}();
  for (var other = 0u; other < ${lanes}u; other++) { total += shares[local / ${lanes}u * ${lanes}u + other]; }`;
}

function shader(
  variant: QkNormVariant,
  type: string,
  { gather, store }: { gather: string; store: string },
): string {
  const { heads, keyValueHeads, headDim, rotary, lanes } = variant;
  return `${lanes === 1 ? "" : `var<workgroup> shares: array<${type}, ${qkNormGroup}>;\n`}
const headDim = ${headDim}u;
const rotary = ${rotary}u;
const planes = ${rotary / 2}u;
const turned = ${heads + keyValueHeads}u; // heads of a row that are normed

fn gainOf(head: u32, i: u32) -> f32 {
  if (head < ${heads}u) { return qGain[i]; }
  return kGain[i];
}

fn turnOf(row: u32, plane: u32) -> vec2<f32> {
  let at = (u32(positions[row]) * planes + plane) * 2u;
  return vec2<f32>(table[at], table[at + 1u]);
}

@compute @workgroup_size(${qkNormGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let lane = local % ${lanes}u;
  let wanted = (group.x + group.y * 65535u) * ${qkNormGroup / lanes}u + local / ${lanes}u;
  let item = min(wanted, uniforms.rows * turned - 1u);
  let row = item / turned;
  let head = item % turned;
  let start = row * ${(heads + 2 * keyValueHeads) * headDim}u + head * headDim;
${gather}
${sumOverLanes(lanes, type)}
  if (wanted >= uniforms.rows * turned) { return; }
${store}
}`;
}

/** Shader of the forward pass; the lanes of the key heads copy the values, which lie as far behind the keys. */
export function qkNormRopeText(variant: QkNormVariant): string {
  const { heads, keyValueHeads, headDim, lanes } = variant;
  return shader(variant, "f32", {
    gather: `  var own = 0.0;
  for (var i = lane; i < headDim; i += ${lanes}u) { own += raw[start + i] * raw[start + i]; }`,
    store: `  let rstd = inverseSqrt(total / f32(headDim) + uniforms.epsilon);
  for (var plane = lane; plane < planes; plane += ${lanes}u) {
    let a = raw[start + plane] * rstd * gainOf(head, plane);
    let b = raw[start + plane + planes] * rstd * gainOf(head, plane + planes);
    let turn = turnOf(row, plane);
    qkv[start + plane] = a * turn.x - b * turn.y;
    qkv[start + plane + planes] = b * turn.x + a * turn.y;
  }
  for (var i = rotary + lane; i < headDim; i += ${lanes}u) {
    qkv[start + i] = raw[start + i] * rstd * gainOf(head, i);
  }
  if (head < ${heads}u) { return; }
  let values = start + ${keyValueHeads * headDim}u;
  for (var i = lane; i < headDim; i += ${lanes}u) { qkv[values + i] = raw[values + i]; }`,
  });
}

/** Shader of the backward pass: own.x sums squares, own.y the gradient along the head; a lane writes only what it read. */
export function qkNormRopeGradientText(variant: QkNormVariant): string {
  const { lanes } = variant;
  const back = `    let turn = turnOf(row, plane);
    let dFirst = dqkv[start + plane];
    let dSecond = dqkv[start + plane + planes];
    let a = (dFirst * turn.x + dSecond * turn.y) * gainOf(head, plane);
    let b = (dSecond * turn.x - dFirst * turn.y) * gainOf(head, plane + planes);
    let xa = raw[start + plane];
    let xb = raw[start + plane + planes];`;
  return shader(variant, "vec2<f32>", {
    gather: `  var own = vec2<f32>();
  for (var plane = lane; plane < planes; plane += ${lanes}u) {
${back}
    own += vec2<f32>(xa * xa + xb * xb, a * xa + b * xb);
  }
  for (var i = rotary + lane; i < headDim; i += ${lanes}u) {
    let x = raw[start + i];
    own += vec2<f32>(x * x, dqkv[start + i] * gainOf(head, i) * x);
  }`,
    store: `  let rstd = inverseSqrt(total.x / f32(headDim) + uniforms.epsilon);
  let pull = total.y * rstd * rstd / f32(headDim);
  for (var plane = lane; plane < planes; plane += ${lanes}u) {
${back}
    dqkv[start + plane] = rstd * (a - xa * pull);
    dqkv[start + plane + planes] = rstd * (b - xb * pull);
  }
  for (var i = rotary + lane; i < headDim; i += ${lanes}u) {
    dqkv[start + i] = rstd * (dqkv[start + i] * gainOf(head, i) - raw[start + i] * pull);
  }`,
  });
}
