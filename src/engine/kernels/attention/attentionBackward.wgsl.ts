/**
 * Shader texts of attention backward. The gradients of queries, keys and values have one form: an own row meets the
 * peer rows of its range, and adds up peer rows by a weight made of recomputed probabilities. So one generator per
 * layout (see attention.wgsl.ts) serves all three.
 */
import type { AttentionAttributes } from "./attention.ts";
import { attentionGroup, headConstants, teamSum, unrolled } from "./attention.wgsl.ts";

/** Which input's gradient. */
export type AttentionGradient = "dq" | "dk" | "dv";

/** The arrays a gradient works on; `slope` pairs give the derivative of the loss by a probability. */
interface Roles {
  readonly ownHeads: "heads" | "keyValueHeads";
  /** Query heads met by an own head. */
  readonly members: "1u" | "share";
  readonly ranges: "keyRanges" | "queryRanges";
  readonly score: readonly [own: string, peer: string];
  readonly slope?: readonly [own: string, peer: string];
  /** The inner product of the output and its gradient at the query row, which the softmax takes off a slope. */
  readonly delta?: "ownDelta" | "delta[statistic]";
  readonly summed: string;
  /** Index of a peer's vectors and of the statistics of the (query row, head). */
  readonly peerAt: string;
  readonly statisticAt: string;
}

const keySide = {
  ownHeads: "keyValueHeads",
  members: "share",
  ranges: "queryRanges",
  peerAt: "(u32(peer) * heads + ownHead * share + member) * width",
  statisticAt: "u32(peer) * heads + ownHead * share + member",
} as const;

const roles: Readonly<Record<AttentionGradient, Roles>> = {
  dq: {
    ownHeads: "heads",
    members: "1u",
    ranges: "keyRanges",
    score: ["q", "k"],
    slope: ["dOutput", "v"],
    delta: "ownDelta",
    summed: "k",
    peerAt: "(u32(peer) * keyValueHeads + ownHead / share) * width",
    statisticAt: "row * heads + ownHead",
  },
  dk: { ...keySide, score: ["k", "q"], slope: ["v", "dOutput"], delta: "delta[statistic]", summed: "q" },
  dv: { ...keySide, score: ["k", "q"], summed: "dOutput" },
};

/** The weight of a peer, from `score` and, but for values, `slope`. */
function weightOf({ slope, delta }: Roles): string {
  const probability = "exp(score * uniforms.scale - logSumExp[statistic])";
  return slope ? `${probability} * (slope - ${delta}) * uniforms.scale` : probability;
}

/** Gradient `name` with one invocation per own (row, head). */
export function attentionGradientAlone(name: AttentionGradient, attributes: AttentionAttributes): string {
  const role = roles[name];
  const { score, slope } = role;
  const vectors = attributes.headDim / 4;
  return `${headConstants(attributes)}

@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${attentionGroup}u + lane;
  if (item >= uniforms.rows * ${role.ownHeads}) { return; }
  // Neighbours take neighbouring rows of one head: they read the same peers at about the same time.
  let ownHead = item / uniforms.rows;
  let row = item % uniforms.rows;
  let own = (row * ${role.ownHeads} + ownHead) * width;
  ${unrolled(vectors, (i) => `let a${i} = ${score[0]}[own + ${i}u]; var sum${i} = vec4<f32>();`)}
  ${slope ? unrolled(vectors, (i) => `let b${i} = ${slope[0]}[own + ${i}u];`) : ""}
  ${name === "dq" ? `let ownDelta = ${unrolled(vectors, (i) => `dot(b${i}, o[own + ${i}u])`, " + ")};` : ""}
  let first = ${role.ranges}[2u * row];
  let last = ${role.ranges}[2u * row + 1u];
  for (var member = 0u; member < ${role.members}; member++) {
    for (var peer = first; peer < last; peer++) {
      let at = ${role.peerAt};
      let statistic = ${role.statisticAt};
      let score = ${unrolled(vectors, (i) => `dot(a${i}, ${score[1]}[at + ${i}u])`, " + ")};
      ${slope ? `let slope = ${unrolled(vectors, (i) => `dot(b${i}, ${slope[1]}[at + ${i}u])`, " + ")};` : ""}
      let weight = ${weightOf(role)};
      ${unrolled(vectors, (i) => `sum${i} += weight * ${role.summed}[at + ${i}u];`, "\n      ")}
    }
  }
  ${unrolled(vectors, (i) => `${name}[own + ${i}u] = sum${i};`)}
}`;
}

/** Gradient `name` with one workgroup per own (row, head), over tiles of peers. */
export function attentionGradientTeam(name: AttentionGradient, attributes: AttentionAttributes): string {
  const role = roles[name];
  const { score, slope } = role;
  return `${headConstants(attributes)}
${teamSum}

@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = group.x + group.y * 65535u;
  if (item >= uniforms.rows * ${role.ownHeads}) { return; }
  let row = item / ${role.ownHeads};
  let ownHead = item % ${role.ownHeads};
  let own = item * width;
  let column = lane % width;
  var sum = vec4<f32>();
  ${name === "dq" ? "var ownDelta = 0.0;\n  for (var i = own; i < own + width; i++) { ownDelta += dot(dOutput[i], o[i]); }" : ""}
  let first = ${role.ranges}[2u * row];
  let last = ${role.ranges}[2u * row + 1u];
  for (var member = 0u; member < ${role.members}; member++) {
    for (var tile = first; tile < last; tile += ${attentionGroup}) {
      if (tile + i32(lane) < last) {
        let peer = tile + i32(lane);
        let at = ${role.peerAt};
        let statistic = ${role.statisticAt};
        var score = 0.0;
        ${slope ? "var slope = 0.0;" : ""}
        for (var i = 0u; i < width; i++) {
          score += dot(${score[0]}[own + i], ${score[1]}[at + i]);
          ${slope ? `slope += dot(${slope[0]}[own + i], ${slope[1]}[at + i]);` : ""}
        }
        weights[lane] = ${weightOf(role)};
      }
      workgroupBarrier();
      let count = min(last - tile, ${attentionGroup});
      for (var i = i32(lane / width); i < count; i += i32(parts)) {
        let peer = tile + i;
        sum += weights[i] * ${role.summed}[${role.peerAt} + column];
      }
      workgroupBarrier();
    }
  }
  partials[lane] = sum;
  workgroupBarrier();
  if (lane < width) {
    var total = partials[lane];
    for (var part = 1u; part < parts; part++) { total += partials[part * width + lane]; }
    ${name}[own + lane] = total;
  }
}`;
}

/** Row sums of the output times its gradient, one invocation per (row, head). */
export function attentionDeltaText(headDim: number): string {
  const vectors = headDim / 4;
  return `
@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = (group.x + group.y * 65535u) * ${attentionGroup}u + lane;
  if (item >= uniforms.items) { return; }
  let own = item * ${vectors}u;
  var sum = 0.0;
  for (var i = own; i < own + ${vectors}u; i++) { sum += dot(dOutput[i], o[i]); }
  delta[item] = sum;
}`;
}
