/**
 * Shader texts of attention forward. Two layouts compute the same thing: `alone` gives one invocation a whole
 * (row, head) in registers; `team` gives a workgroup one (row, head), its invocations first sharing the keys of a tile
 * and then the columns of the head.
 */
import type { AttentionAttributes } from "./attention.ts";
import { placeText, type HeadLayout } from "./headLayout.ts";

/** Invocations of a workgroup in both layouts. */
export const attentionGroup = 64;

/** The (row, head) of a workgroup, and of an invocation, in a folded grid. */
export const itemOfGroup = "group.x + group.y * 65535u";
export const itemOfInvocation = `(${itemOfGroup}) * ${attentionGroup}u + lane`;

/** Widest head whose vectors one invocation can hold in registers: query and output, or their like. */
export const widestInRegisters = 64;

/** Up to this width an invocation is quick with a head even if it has most of a GPU to itself. */
const alwaysAlone = 32;

/** Fewer (row, head) pairs than this leave most of a GPU idle unless several invocations share one. */
const fewestAlone = 256;

/** Beyond this a hyperbolic tangent is 1 in 32 bits, and some devices' formula for it overflows. */
const largestTangent = 10;

/** How much work there is, to choose a layout by. */
export interface AttentionWork {
  /** (row, head) pairs. */
  readonly items: number;
  /** Vectors of a head that an invocation holds and sums, next to the two of the forward pass: 1, or 2 for twice as many. */
  readonly load?: 1 | 2;
}

/** Whether a workgroup should share each (row, head) pair. */
export function isTeamWork(
  { headDim, canShare = true }: AttentionAttributes,
  { items, load = 1 }: AttentionWork,
): boolean {
  const width = headDim * load;
  return canShare && (width > widestInRegisters || (width > alwaysAlone && items < fewestAlone));
}

/** Workgroups before folding. */
export function attentionGroups(attributes: AttentionAttributes, work: AttentionWork): number {
  return isTeamWork(attributes, work) ? work.items : Math.ceil(work.items / attentionGroup);
}

/** What a text is made of. */
export interface AttentionText {
  readonly attributes: AttentionAttributes;
  readonly layout: HeadLayout;
  /** Ranges of a row. */
  readonly ranges: number;
  /** Bindings that only the gradient reads: every binding of a pipeline must be in its text. */
  readonly unread?: readonly string[];
}

/** Text for every vector of a head, given its index and how to name the vector of a set. */
export interface VectorTexts {
  /** Declares a set of vectors of zeros. */
  readonly declare: (set: string) => string;
  readonly each: (text: (index: string, vector: (set: string) => string) => string) => string;
}

/** Texts that keep the vectors of a head in registers if it is narrow, and in an array if it is wide. */
export function vectorTexts(headDim: number): VectorTexts {
  const count = headDim / 4;
  if (headDim > widestInRegisters) {
    return {
      declare: (set) => `var ${set}: array<vec4<f32>, width>;`,
      each: (text) => `for (var i = 0u; i < width; i++) { ${text("i", (set) => `${set}[i]`)} }`,
    };
  }
  const repeat = (text: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => text(i)).join("\n");
  return {
    declare: (set) => repeat((i) => `var ${set}${i} = vec4<f32>();`),
    each: (text) => repeat((i) => text(`${i}u`, (set) => `${set}${i}`)),
  };
}

/** Constants of the shapes, in vectors of four. */
export function headConstants(
  { heads, keyValueHeads, headDim }: AttentionAttributes,
  ranges: number,
): string {
  return `
const heads = ${heads}u;
const keyValueHeads = ${keyValueHeads}u;
const share = ${heads / keyValueHeads}u; // query heads of one key-value head
const width = ${headDim / 4}u; // vectors of a head
const ranges = ${ranges}u; // of one row`;
}

/** The score of an inner product that is already scaled, and under a cap its hyperbolic tangent, `bent`. */
export function scoreText(scaled: string, { softCap }: AttentionAttributes): string {
  if (softCap === undefined) return `let score = ${scaled};`;
  const cap = `f32(${softCap})`;
  return `let bent = tanh(clamp((${scaled}) / ${cap}, -${largestTangent}.0, ${largestTangent}.0)); let score = ${cap} * bent;`;
}

function mentioned(unread: readonly string[] = []): string {
  return unread.map((name) => `_ = &${name};`).join(" ");
}

/** Forward with one invocation per (row, head): online softmax, rescaled only when a larger score appears. */
export function attentionAlone({ attributes, layout, ranges, unread }: AttentionText): string {
  const { declare, each } = vectorTexts(attributes.headDim);
  const { q, k, v } = layout;
  return `${headConstants(attributes, ranges)}

@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  ${mentioned(unread)}
  let item = ${itemOfInvocation};
  if (item >= uniforms.rows * heads) { return; }
  // Neighbours take neighbouring rows of one head: they read the same keys at the same time.
  let head = item / uniforms.rows;
  let row = item % uniforms.rows;
  let own = ${placeText(q, "row", "head")};
  ${declare("query")}
  ${declare("output")}
  ${each((i, vector) => `${vector("query")} = ${q.buffer}[own + ${i}] * uniforms.scale;`)}
  var largest = -1e30;
  var sum = 0.0;
  for (var range = row * ranges; range < (row + 1u) * ranges; range++) {
    let last = keyRanges[2u * range + 1u];
    for (var key = keyRanges[2u * range]; key < last; key++) {
      let keyAt = ${placeText(k, "u32(key)", "head / share")};
      let valueAt = ${placeText(v, "u32(key)", "head / share")};
      var product = 0.0;
      ${each((i, vector) => `product += dot(${vector("query")}, ${k.buffer}[keyAt + ${i}]);`)}
      ${scoreText("product", attributes)}
      if (score > largest) {
        let shrink = exp(largest - score);
        largest = score;
        sum *= shrink;
        ${each((_, vector) => `${vector("output")} *= shrink;`)}
      }
      let weight = exp(score - largest);
      sum += weight;
      ${each((i, vector) => `${vector("output")} += weight * ${v.buffer}[valueAt + ${i}];`)}
    }
  }
  // The largest score counts 1, so only a row without keys has a smaller sum.
  let divisor = max(sum, 1e-30);
  let outputAt = (row * heads + head) * width;
  ${each((i, vector) => `o[outputAt + ${i}] = ${vector("output")} / divisor;`)}
  logSumExp[row * heads + head] = largest + log(divisor);
}`;
}

/** Forward with one workgroup per (row, head), over tiles of as many keys as the workgroup has invocations. */
export function attentionTeam({ attributes, layout, ranges, unread }: AttentionText): string {
  const { q, k, v } = layout;
  return `${headConstants(attributes, ranges)}
// Its lanes split the keys of a tile into parts to add up columns.
const parts = ${attentionGroup}u / width;
var<workgroup> weights: array<f32, ${attentionGroup}>;
var<workgroup> partials: array<vec4<f32>, ${attentionGroup}>;
var<workgroup> scores: array<f32, ${attentionGroup}>;

@compute @workgroup_size(${attentionGroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  ${mentioned(unread)}
  let item = ${itemOfGroup};
  if (item >= uniforms.rows * heads) { return; }
  let row = item / heads;
  let head = item % heads;
  let own = ${placeText(q, "row", "head")};
  let column = lane % width;
  var output = vec4<f32>();
  var largest = -1e30;
  var sum = 0.0;
  for (var range = row * ranges; range < (row + 1u) * ranges; range++) {
    let last = keyRanges[2u * range + 1u];
    for (var tile = keyRanges[2u * range]; tile < last; tile += ${attentionGroup}) {
      let count = u32(min(last - tile, ${attentionGroup}));
      var weighed = -1e30;
      if (lane < count) {
        let at = ${placeText(k, "(u32(tile) + lane)", "head / share")};
        var product = 0.0;
        for (var i = 0u; i < width; i++) { product += dot(${q.buffer}[own + i], ${k.buffer}[at + i]); }
        ${scoreText("product * uniforms.scale", attributes)}
        weighed = score;
      }
      scores[lane] = weighed;
      workgroupBarrier();
      var larger = largest;
      for (var i = 0u; i < count; i++) { larger = max(larger, scores[i]); }
      let shrink = exp(largest - larger);
      largest = larger;
      weights[lane] = exp(weighed - largest);
      workgroupBarrier();
      sum *= shrink;
      output *= shrink;
      for (var i = 0u; i < count; i++) { sum += weights[i]; }
      for (var i = lane / width; i < count; i += parts) {
        output += weights[i] * ${v.buffer}[${placeText(v, "(u32(tile) + i)", "head / share")} + column];
      }
    }
  }
  partials[lane] = output;
  workgroupBarrier();
  // The largest score counts 1, so only a row without keys has a smaller sum.
  let divisor = max(sum, 1e-30);
  if (lane < width) {
    var total = partials[lane];
    for (var part = 1u; part < parts; part++) { total += partials[part * width + lane]; }
    o[item * width + lane] = total / divisor;
  }
  if (lane == 0u) { logSumExp[item] = largest + log(divisor); }
}`;
}
