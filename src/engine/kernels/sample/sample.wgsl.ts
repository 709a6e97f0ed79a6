import { EXPONENT_STEPS, HALVING_COEFFICIENTS, LARGEST_EXPONENT, ONE } from "./halvings.ts";
import { BITS, CAP_STEPS } from "./sampleAttributes.ts";

/** A key is found eight bits at a time. */
const binBits = 8;
const bins = 2 ** binBits;

/** What a text does; the numbers come as uniforms. */
export interface SampleText {
  /** Invocations of a workgroup, which chooses for one row; each reads a run of consecutive tokens. */
  readonly lanes: number;
  readonly isGreedy: boolean;
  readonly hasCount: boolean;
  readonly hasShare: boolean;
  readonly hasPenalty: boolean;
  readonly hasBound: boolean;
}

/** The powers of halvings.ts, step for step, and numbers of 64 bits, the low word first. */
const arithmetic = `
fn product(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u));
}

fn plus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2(low, a.y + b.y + select(0u, 1u, low < b.x));
}

fn minus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn isBelow(a: vec2<u32>, b: vec2<u32>) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn halvings(exponent: f32) -> u32 {
  if (!(exponent < ${LARGEST_EXPONENT}.0)) { return 0u; }
  let fixed = u32(exponent * ${EXPONENT_STEPS}.0);
  let fraction = fixed << 8u;
  var rest = 0u;
${HALVING_COEFFICIENTS.toReversed()
  .map((factor) => `  rest = ${factor}u - product(fraction, rest).y;`)
  .join("\n")}
  return (${ONE}u - product(fraction, rest).y) >> (fixed >> 24u);
}`;

/** tanh in 24 bits by long division, because a shader's own may be off. */
const boundText = `
fn bounded(logit: f32) -> f32 {
  let e = halvings(abs(logit) * uniforms.capSharpness) >> 1u;
  var above = ${ONE / 2}u - e;
  let below = ${ONE / 2}u + e;
  var quotient = 0u;
  for (var bit = 0u; bit < ${Math.log2(CAP_STEPS)}u; bit++) {
    above = above << 1u;
    quotient = quotient << 1u;
    if (above >= below) {
      above -= below;
      quotient += 1u;
    }
  }
  let size = f32(quotient) * uniforms.capStep;
  return select(size, -size, logit < 0.0);
}`;

const penaltyText = `
    let word = seen[row * ((uniforms.vocabulary + ${BITS - 1}u) / ${BITS}u) + id / ${BITS}u];
    if (((word >> (id % ${BITS}u)) & 1u) == 1u) {
      z = z * select(uniforms.inversePenalty, uniforms.penalty, z < 0.0);
    }`;

/** Words in the order of the logits, which whole-number comparisons read. NaN counts as -inf, and tiny numbers as 0. */
function keyText({ hasBound, hasPenalty }: SampleText): string {
  return `${hasBound ? boundText : ""}

fn keyAt(row: u32, id: u32) -> u32 {
  var z = logits[row * uniforms.vocabulary + id];
  ${hasBound ? "z = bounded(z);" : ""}
  ${hasPenalty ? `{${penaltyText}\n  }` : ""}
  let bits = bitcast<u32>(z);
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return 0x007fffffu; }
  if (size < 0x00800000u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}

fn logitOf(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
}`;
}

/** The largest key of the row, and the first token that has it. */
const peakText = (lanes: number) => `
var<workgroup> peaks: array<vec2<u32>, ${lanes}>;

fn findPeak(row: u32, first: u32, end: u32, lane: u32) {
  var best = vec2(0u, 0u);
  for (var id = first; id < end; id++) {
    let key = keyAt(row, id);
    if (key > best.x) { best = vec2(key, id); }
  }
  peaks[lane] = best;
  workgroupBarrier();
  if (lane == 0u) {
    for (var other = 1u; other < ${lanes}u; other++) {
      if (peaks[other].x > best.x) { best = peaks[other]; }
    }
    peaks[0] = best;
  }
  workgroupBarrier();
}`;

const weightText = `
fn weightOf(key: u32) -> u32 {
  let peak = peaks[0].x;
  if (key == peak) { return ${ONE}u; }
  return halvings((logitOf(peak) - logitOf(key)) * uniforms.sharpness);
}`;

/**
 * Survivors are the tokens above a key and the first so many tokens of that key itself. Lowers them to the largest ones
 * that reach a given count or share of the probability: bins count by the next eight bits of the keys that begin like
 * the one looked for, from the first bits to the last.
 */
const narrowText = (lanes: number) => `
var<workgroup> bins: array<atomic<u32>, ${2 * bins}>;
var<workgroup> leastKey: u32;
var<workgroup> ties: u32;
var<workgroup> prefix: u32;
var<workgroup> wanted: vec2<u32>;

fn addToBin(key: u32, shift: u32, amount: vec2<u32>) {
  let bin = (key >> shift) & ${bins - 1}u;
  let before = atomicAdd(&bins[bin], amount.x);
  // The sum of the low words has run over if it is below what was added to it.
  let high = amount.y + select(0u, 1u, before + amount.x < amount.x);
  if (high > 0u) { atomicAdd(&bins[${bins}u + bin], high); }
}

fn binAt(bin: u32) -> vec2<u32> {
  return vec2(atomicLoad(&bins[bin]), atomicLoad(&bins[${bins}u + bin]));
}

fn shareOf(sum: vec2<u32>, fraction: u32) -> vec2<u32> {
  let low = product(sum.x, fraction);
  let rounded = plus(vec2(low.y, 0u), product(sum.y, fraction));
  return plus(rounded, vec2(select(0u, 1u, low.x > 0u), 0u));
}

fn narrow(row: u32, first: u32, end: u32, lane: u32, isByShare: bool) {
  for (var level = 0u; level < ${32 / binBits}u; level++) {
    let shift = ${32 - binBits}u - level * ${binBits}u;
    for (var bin = lane; bin < ${2 * bins}u; bin += ${lanes}u) { atomicStore(&bins[bin], 0u); }
    workgroupBarrier();
    for (var id = first; id < end; id++) {
      let key = keyAt(row, id);
      // A shift by 32 bits is not one.
      if (key <= leastKey || ((key ^ prefix) >> shift) >> ${binBits}u != 0u) { continue; }
      addToBin(key, shift, vec2(select(1u, weightOf(key), isByShare), 0u));
    }
    if (lane == 0u && ((leastKey ^ prefix) >> shift) >> ${binBits}u == 0u) {
      addToBin(leastKey, shift, product(ties, select(1u, weightOf(leastKey), isByShare)));
    }
    workgroupBarrier();
    if (lane == 0u) {
      if (level == 0u && isByShare) {
        var sum = vec2(0u, 0u);
        for (var bin = 0u; bin < ${bins}u; bin++) { sum = plus(sum, binAt(bin)); }
        wanted = shareOf(sum, uniforms.share);
      }
      var bin = ${bins - 1}u;
      for (; bin > 0u; bin--) {
        let amount = binAt(bin);
        if (!isBelow(amount, wanted)) { break; }
        wanted = minus(wanted, amount);
      }
      prefix |= bin << shift;
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    let weight = select(1u, weightOf(prefix), isByShare);
    // How many tokens of this key it takes; their number has at most as many bits as that of the tokens.
    var count = 0u;
    for (var step = 0x80000000u; step > 0u; step = step >> 1u) {
      if (isBelow(product(count + step - 1u, weight), wanted)) { count += step; }
    }
    leastKey = prefix;
    ties = count;
    prefix = 0u;
  }
  workgroupBarrier();
}`;

/** Draws by the whole-number weights of the survivors, in the order of their ids. */
const drawText = (lanes: number) => `
var<workgroup> masses: array<vec2<u32>, ${lanes}>;
var<workgroup> tieCounts: array<u32, ${lanes}>;

// The permutation of dropout.cpu.ts, word for word.
fn permuted(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

fn massOf(run: u32, tiesLeft: u32, tieWeight: u32) -> vec2<u32> {
  return plus(masses[run], product(min(tiesLeft, tieCounts[run]), tieWeight));
}

fn draw(row: u32, first: u32, end: u32, lane: u32) -> u32 {
  var mass = vec2(0u, 0u);
  var tieCount = 0u;
  for (var id = first; id < end; id++) {
    let key = keyAt(row, id);
    if (key > leastKey) { mass = plus(mass, vec2(weightOf(key), 0u)); }
    if (key == leastKey) { tieCount++; }
  }
  masses[lane] = mass;
  tieCounts[lane] = tieCount;
  workgroupBarrier();
  if (lane != 0u) { return 0u; }
  let tieWeight = weightOf(leastKey);
  var total = vec2(0u, 0u);
  var tiesLeft = ties;
  for (var run = 0u; run < ${lanes}u; run++) {
    total = plus(total, massOf(run, tiesLeft, tieWeight));
    tiesLeft -= min(tiesLeft, tieCounts[run]);
  }
  let random = permuted(uniforms.step + permuted(u32(streams[row]) + permuted(uniforms.seed)));
  var rest = plus(vec2(product(total.x, random).y, 0u), product(total.y, random));
  tiesLeft = ties;
  var run = 0u;
  for (; run < ${lanes - 1}u; run++) {
    let amount = massOf(run, tiesLeft, tieWeight);
    if (isBelow(rest, amount)) { break; }
    rest = minus(rest, amount);
    tiesLeft -= min(tiesLeft, tieCounts[run]);
  }
  let length = runLength();
  for (var id = run * length; id < uniforms.vocabulary; id++) {
    let key = keyAt(row, id);
    if (key < leastKey) { continue; }
    if (key == leastKey) {
      if (tiesLeft == 0u) { continue; }
      tiesLeft--;
    }
    let amount = vec2(weightOf(key), 0u);
    if (isBelow(rest, amount)) { return id; }
    rest = minus(rest, amount);
  }
  return 0u;
}`;

function drawnText({ hasCount, hasShare }: SampleText): string {
  return `
  if (lane == 0u) {
    leastKey = 0u;
    ties = 0u;
    prefix = 0u;
    wanted = vec2(uniforms.count, 0u);
  }
  workgroupBarrier();
  ${hasCount ? "narrow(row, first, end, lane, false);" : ""}
  ${hasShare ? "narrow(row, first, end, lane, true);" : ""}
  let id = draw(row, first, end, lane);`;
}

/** Shader text that chooses the next token of every row. */
export function sampleText(text: SampleText): string {
  const { lanes, isGreedy, hasPenalty } = text;
  const needsArithmetic = !isGreedy || text.hasBound;
  return `${needsArithmetic ? arithmetic : ""}
${keyText(text)}
${peakText(lanes)}

fn runLength() -> u32 {
  return (uniforms.vocabulary + ${lanes - 1}u) / ${lanes}u;
}
${isGreedy ? "" : weightText + narrowText(lanes) + drawText(lanes)}

@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535u;
  if (row >= uniforms.rows) { return; }
  let first = min(lane * runLength(), uniforms.vocabulary);
  let end = min(first + runLength(), uniforms.vocabulary);
  findPeak(row, first, end, lane);
  ${isGreedy ? "let id = peaks[0].y;" : drawnText(text)}
  if (lane == 0u) {
    chosen[row] = i32(id);
    ${hasPenalty ? `seen[row * ((uniforms.vocabulary + ${BITS - 1}u) / ${BITS}u) + id / ${BITS}u] |= 1u << (id % ${BITS}u);` : ""}
  }
}`;
}
