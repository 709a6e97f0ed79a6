/**
 * Shader texts of attention backward. The gradients of queries, keys and values have one form: an own row meets the
 * peer rows of its ranges, and adds up peer rows by weights made of recomputed probabilities. So one generator per
 * layout (see attention.wgsl.ts) serves them all, whether queries, keys and values lie apart or in packed rows.
 */
import type { AttentionAttributes } from "./attention.ts";
import {
  attentionGroup,
  headConstants,
  itemOfGroup,
  itemOfInvocation,
  scoreText,
  vectorTexts,
  widestInRegisters,
} from "./attention.wgsl.ts";
import { headsAlone, placeText, type HeadLayout, type Heads } from "./headLayout.ts";

/** Which gradients a dispatch computes. */
export type AttentionGradient = "dq" | "dk" | "dv" | "dkv";

/** What a text is made of. */
export interface GradientText {
  readonly gradient: AttentionGradient;
  readonly attributes: AttentionAttributes;
  /** Where queries, keys and values lie. */
  readonly layout: HeadLayout;
  /** Where the gradients of queries, keys and values go. */
  readonly targets: HeadLayout;
  /** Ranges of a row. */
  readonly ranges: number;
  /** Whether `delta` is bound; otherwise it is computed from `o`. */
  readonly hasDelta: boolean;
  /** Leading numbers of a head whose rotation is undone; 0 for none. */
  readonly rotary: number;
}

/** One sum over peers: of the vectors that meet in the score, or of those that meet in the slope. */
interface Sum {
  readonly name: "scoreSum" | "slopeSum";
  readonly factor: "weight" | "probability";
  readonly peer: Heads;
  readonly peerAt: "scoreAt" | "slopeAt";
  readonly target: Heads;
  readonly isTurned: boolean;
}

/** The arrays a gradient works on; `slope` pairs give the derivative of the loss by a probability. */
interface Roles {
  readonly ownHeads: "heads" | "keyValueHeads";
  /** Query heads met by an own head. */
  readonly members: "1u" | "share";
  readonly rangesName: "keyRanges" | "queryRanges";
  readonly score: readonly [own: Heads, peer: Heads];
  readonly slope: readonly [own: Heads, peer: Heads];
  readonly hasSlope: boolean;
  readonly peerHead: string;
  readonly sums: readonly Sum[];
  /** Reads what is known of the (query row, head). */
  readonly ownStatistics: string;
  readonly peerStatistics: string;
}

function rolesOf({ gradient, attributes, layout, targets, rotary, hasDelta }: GradientText): Roles {
  const upstream = headsAlone("dOutput", attributes.heads * attributes.headDim);
  const isTurned = rotary > 0;
  if (gradient === "dq") {
    return {
      ownHeads: "heads",
      members: "1u",
      rangesName: "keyRanges",
      score: [layout.q, layout.k],
      slope: [upstream, layout.v],
      hasSlope: true,
      peerHead: "ownHead / share",
      sums: [
        {
          name: "scoreSum",
          factor: "weight",
          peer: layout.k,
          peerAt: "scoreAt",
          target: targets.q,
          isTurned,
        },
      ],
      ownStatistics: statisticsText("row * heads + ownHead", hasDelta),
      peerStatistics: "",
    };
  }
  const hasSlope = gradient !== "dv";
  const ofKeys: Sum = {
    name: "scoreSum",
    factor: "weight",
    peer: layout.q,
    peerAt: "scoreAt",
    target: targets.k,
    isTurned,
  };
  const ofValues: Sum = {
    name: "slopeSum",
    factor: "probability",
    peer: upstream,
    peerAt: "slopeAt",
    target: targets.v,
    isTurned: false,
  };
  return {
    ownHeads: "keyValueHeads",
    members: "share",
    rangesName: "queryRanges",
    score: [layout.k, layout.q],
    slope: [layout.v, upstream],
    hasSlope,
    peerHead: "ownHead * share + member",
    sums: [...(gradient === "dv" ? [] : [ofKeys]), ...(gradient === "dk" ? [] : [ofValues])],
    ownStatistics: "",
    peerStatistics: statisticsText("u32(peer) * heads + ownHead * share + member", hasSlope),
  };
}

function statisticsText(at: string, hasDelta: boolean): string {
  return `let statistic = ${at}; let logSum = logSumExp[statistic];${hasDelta ? " let mean = delta[statistic];" : ""}`;
}

/** From `product` and, but for values alone, `slope`: the probability of a peer and its weight. */
function weightText({ hasSlope }: Roles, attributes: AttentionAttributes): string {
  const probability = `${scoreText("product * uniforms.scale", attributes)} let probability = exp(score - logSum);`;
  if (!hasSlope) return probability;
  const bend = attributes.softCap === undefined ? "" : " * (1.0 - bent * bent)";
  return `${probability} let weight = probability * (slope - mean) * uniforms.scale${bend};`;
}

/** Undoes the rotation of a sum that one invocation holds. */
function turnBackAlone(rotary: number, headDim: number): string {
  const half = rotary / 2;
  const turn = (a: string, b: string, plane: string) => `{
    let turn = vec2<f32>(table[turns + 2u * ${plane}], table[turns + 2u * ${plane} + 1u]);
    let pair = vec2<f32>(${a}, ${b});
    ${a} = dot(pair, turn);
    ${b} = pair.y * turn.x - pair.x * turn.y;
  }`;
  const start = `let turns = u32(positions[row]) * ${rotary}u;`;
  if (headDim > widestInRegisters) {
    const number = (place: string) => `scoreSum[(${place}) / 4u][(${place}) % 4u]`;
    return `${start} for (var i = 0u; i < ${half}u; i++) ${turn(number("i"), number(`i + ${half}u`), "i")}`;
  }
  const number = (place: number) => `scoreSum${Math.floor(place / 4)}.${"xyzw"[place % 4]}`;
  const planes = Array.from({ length: half }, (_, plane) =>
    turn(number(plane), number(plane + half), `${plane}u`),
  );
  return `${start}\n  ${planes.join("\n  ")}`;
}

/** Widest head whose keys and values one invocation sums at once; beyond, going twice over the peers is quicker. */
const widestMerged = 128;

/** Gradient with one invocation per own (row, head). */
export function attentionGradientAlone(text: GradientText): string {
  const { gradient, attributes, ranges } = text;
  const isSplit = gradient === "dkv" && attributes.headDim > widestMerged;
  const passes = isSplit ? (["dk", "dv"] as const) : [gradient];
  const { ownHeads } = rolesOf(text);
  return `${headConstants(attributes, ranges)}

@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = ${itemOfInvocation};
  if (item >= uniforms.rows * ${ownHeads}) { return; }
  // Neighbours take neighbouring rows of one head: they read the same peers at about the same time.
  let ownHead = item / uniforms.rows;
  let row = item % uniforms.rows;
  ${passes.map((pass) => passAlone({ ...text, gradient: pass })).join("\n  ")}
}`;
}

/** One way over the peers of an own (row, head), and what it sums. */
function passAlone(text: GradientText): string {
  const { attributes, rotary } = text;
  const { declare, each } = vectorTexts(attributes.headDim);
  const roles = rolesOf(text);
  const { score, slope, hasSlope, sums } = roles;
  return `{
  let ownScore = ${placeText(score[0], "row", "ownHead")};
  ${declare("a")}
  ${each((i, vector) => `${vector("a")} = ${score[0].buffer}[ownScore + ${i}];`)}
  ${hasSlope ? ownSlopeAlone(text, slope[0]) : ""}
  ${sums.map(({ name }) => declare(name)).join("\n  ")}
  ${roles.ownStatistics}
  for (var member = 0u; member < ${roles.members}; member++) {
    for (var range = row * ranges; range < (row + 1u) * ranges; range++) {
      let last = ${roles.rangesName}[2u * range + 1u];
      for (var peer = ${roles.rangesName}[2u * range]; peer < last; peer++) {
        let scoreAt = ${placeText(score[1], "u32(peer)", roles.peerHead)};
        let slopeAt = ${placeText(slope[1], "u32(peer)", roles.peerHead)};
        ${roles.peerStatistics}
        var product = 0.0;
        ${each((i, vector) => `product += dot(${vector("a")}, ${score[1].buffer}[scoreAt + ${i}]);`)}
        ${hasSlope ? "var slope = 0.0;" : ""}
        ${hasSlope ? each((i, vector) => `slope += dot(${vector("b")}, ${slope[1].buffer}[slopeAt + ${i}]);`) : ""}
        ${weightText(roles, attributes)}
        ${sums.map(({ name, factor, peer, peerAt }) => each((i, vector) => `${vector(name)} += ${factor} * ${peer.buffer}[${peerAt} + ${i}];`)).join("\n        ")}
      }
    }
  }
  ${sums.some(({ isTurned }) => isTurned) ? turnBackAlone(rotary, attributes.headDim) : ""}
  ${sums.map(({ name, target }) => `let ${name}At = ${placeText(target, "row", "ownHead")}; ${each((i, vector) => `${target.buffer}[${name}At + ${i}] = ${vector(name)};`)}`).join("\n  ")}
  }`;
}

/** Reads the own vectors of the slope, and takes the mean slope of a query from them if it is not bound. */
function ownSlopeAlone({ gradient, attributes, hasDelta }: GradientText, own: Heads): string {
  const { declare, each } = vectorTexts(attributes.headDim);
  const upstream = headsAlone("dOutput", attributes.heads * attributes.headDim);
  const mean = `let outputAt = ${placeText(upstream, "row", "ownHead")};
  var mean = 0.0;
  ${each((i, vector) => `mean += dot(${vector("b")}, o[outputAt + ${i}]);`)}`;
  return `let ownSlope = ${placeText(own, "row", "ownHead")};
  ${declare("b")}
  ${each((i, vector) => `${vector("b")} = ${own.buffer}[ownSlope + ${i}];`)}
  ${gradient === "dq" && !hasDelta ? mean : ""}`;
}

/** The lanes' parts of one sum are added up and stored, the rotation undone on the way. */
function storeTeamSum({ name, target, isTurned }: Sum, rotary: number): string {
  const half = rotary / 2;
  const partials = `${name}Partials`;
  // Only the lane itself reads its first part, so it may write the total over it.
  const turned = `if (lane < width) { ${partials}[lane] = total; }
  workgroupBarrier();
  if (lane < width) {
    for (var component = 0u; component < 4u; component++) {
      let place = lane * 4u + component;
      if (place >= ${rotary}u) { continue; }
      let isFirst = place < ${half}u;
      let plane = select(place - ${half}u, place, isFirst);
      let other = select(place - ${half}u, place + ${half}u, isFirst);
      let turn = (u32(positions[row]) * ${half}u + plane) * 2u;
      let sine = select(-table[turn + 1u], table[turn + 1u], isFirst);
      total[component] = total[component] * table[turn] + ${partials}[other / 4u][other % 4u] * sine;
    }
  }`;
  return `{
  var total = vec4<f32>();
  if (lane < width) {
    for (var part = 0u; part < parts; part++) { total += ${partials}[part * width + lane]; }
  }
  ${isTurned ? turned : ""}
  if (lane < width) { ${target.buffer}[${placeText(target, "row", "ownHead")} + lane] = total; }
  }`;
}

/** Gradient with one workgroup per own (row, head), over tiles of peers. */
export function attentionGradientTeam(text: GradientText): string {
  const { attributes, ranges, rotary, hasDelta } = text;
  const roles = rolesOf(text);
  const { score, slope, hasSlope, sums } = roles;
  const upstream = headsAlone("dOutput", attributes.heads * attributes.headDim);
  const isOwnDelta = text.gradient === "dq" && !hasDelta;
  const ownDelta = `let outputAt = ${placeText(upstream, "row", "ownHead")};
  var mean = 0.0;
  for (var i = 0u; i < width; i++) { mean += dot(dOutput[outputAt + i], o[outputAt + i]); }`;
  return `${headConstants(attributes, ranges)}
const parts = ${attentionGroup}u / width;
${sums.map(({ name }) => `var<workgroup> ${name}Factors: array<f32, ${attentionGroup}>; var<workgroup> ${name}Partials: array<vec4<f32>, ${attentionGroup}>;`).join("\n")}

@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let item = ${itemOfGroup};
  if (item >= uniforms.rows * ${roles.ownHeads}) { return; }
  let row = item / ${roles.ownHeads};
  let ownHead = item % ${roles.ownHeads};
  let ownScore = ${placeText(score[0], "row", "ownHead")};
  ${hasSlope ? `let ownSlope = ${placeText(slope[0], "row", "ownHead")};` : ""}
  let column = lane % width;
  ${sums.map(({ name }) => `var ${name} = vec4<f32>();`).join(" ")}
  ${isOwnDelta ? ownDelta : ""}
  ${roles.ownStatistics}
  for (var member = 0u; member < ${roles.members}; member++) {
    for (var range = row * ranges; range < (row + 1u) * ranges; range++) {
      let last = ${roles.rangesName}[2u * range + 1u];
      for (var tile = ${roles.rangesName}[2u * range]; tile < last; tile += ${attentionGroup}) {
        if (tile + i32(lane) < last) {
          let peer = tile + i32(lane);
          let scoreAt = ${placeText(score[1], "u32(peer)", roles.peerHead)};
          let slopeAt = ${placeText(slope[1], "u32(peer)", roles.peerHead)};
          ${roles.peerStatistics}
          var product = 0.0;
          ${hasSlope ? "var slope = 0.0;" : ""}
          for (var i = 0u; i < width; i++) {
            product += dot(${score[0].buffer}[ownScore + i], ${score[1].buffer}[scoreAt + i]);
            ${hasSlope ? `slope += dot(${slope[0].buffer}[ownSlope + i], ${slope[1].buffer}[slopeAt + i]);` : ""}
          }
          ${weightText(roles, attributes)}
          ${sums.map(({ name, factor }) => `${name}Factors[lane] = ${factor};`).join(" ")}
        }
        workgroupBarrier();
        let count = min(last - tile, ${attentionGroup});
        for (var i = i32(lane / width); i < count; i += i32(parts)) {
          let peer = tile + i;
          ${sums
            .map(
              ({ name, peer }) =>
                `${name} += ${name}Factors[i] * ${peer.buffer}[${placeText(peer, "u32(peer)", roles.peerHead)} + column];`,
            )
            .join("\n          ")}
        }
        workgroupBarrier();
      }
    }
  }
  ${sums.map(({ name }) => `${name}Partials[lane] = ${name};`).join(" ")}
  workgroupBarrier();
  ${sums.map((sum) => storeTeamSum(sum, rotary)).join("\n  ")}
}`;
}
