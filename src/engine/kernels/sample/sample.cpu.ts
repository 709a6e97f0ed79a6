import type { Shape, Values } from "../../tensor/op.ts";
import { counterHash } from "../dropout/dropout.cpu.ts";
import { halvings, ONE } from "./halvings.ts";
import { BITS, CAP_STEPS, isBounded, numbersOf, type SampleAttributes } from "./sampleAttributes.ts";

/** Tokens that may be drawn, by id, and the weights of all tokens: probabilities over that of the likeliest, in units of 2^-31. */
interface Candidates {
  readonly ids: Int32Array;
  readonly weights: Float64Array;
}

/** Bounds a logit to [-softCap, softCap]: softCap · tanh(logit / softCap), in 24 bits. */
function bounded(logit: number, { capSharpness, capStep }: ReturnType<typeof numbersOf>): number {
  // tanh(x) = (1 - e) / (1 + e) with e = exp(-2 x).
  const e = halvings(Math.fround(Math.abs(logit) * capSharpness)) >>> 1;
  const [above, below] = [BigInt(ONE / 2 - e), BigInt(ONE / 2 + e)];
  const quotient = Math.min(Number((above * BigInt(CAP_STEPS)) / below), CAP_STEPS - 1);
  return Math.fround(Math.sign(logit) * quotient * capStep);
}

/** A row of logits as they are compared: bounded, lowered where a token was seen, without NaN and without tiny numbers. */
function logitsOfRow(
  row: { readonly logits: Values; readonly seen: Values | undefined },
  attributes: SampleAttributes,
): Float32Array {
  const numbers = numbersOf(attributes);
  const hasBound = isBounded(attributes);
  const { logits, seen } = row;
  const compared = new Float32Array(logits.length);
  for (let id = 0; id < logits.length; id++) {
    let z = Math.fround(logits[id]!);
    if (hasBound) z = bounded(z, numbers);
    if (seen !== undefined && (((seen[Math.floor(id / BITS)] ?? 0) >>> (id % BITS)) & 1) === 1) {
      z = Math.fround(z * (z < 0 ? numbers.penalty : numbers.inversePenalty));
    }
    compared[id] = Number.isNaN(z) ? -Infinity : Math.abs(z) < 2 ** -126 ? 0 : z;
  }
  return compared;
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Sum of the candidates' weights; whole numbers below 2^53 for any vocabulary below 2^22. */
function totalOf({ ids, weights }: Candidates): number {
  let total = 0;
  for (const id of ids) total += weights[id]!;
  return total;
}

/** Share `fraction` / 2^32 of a whole number, rounded down or up. */
function shareOf(sum: number, fraction: number, rounding: "down" | "up"): number {
  const product = BigInt(sum) * BigInt(fraction);
  return Number((rounding === "up" ? product + 0xffff_ffffn : product) >> 32n);
}

/** The tokens that may be drawn. */
function survivors(logits: Float32Array, attributes: SampleAttributes): Candidates {
  const { sharpness, share } = numbersOf(attributes);
  const peak = logits[likeliest(logits)]!;
  const ids = new Int32Array(logits.length);
  const weights = new Float64Array(logits.length);
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    ids[id] = id;
    weights[id] = logit === peak ? ONE : halvings(Math.fround(Math.fround(peak - logit) * sharpness));
  }
  const { topK, topP } = attributes;
  if (topK === 0 && topP === 1) return { ids, weights };
  // Two infinite logits have no difference, and are equal.
  ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
  let kept = topK === 0 ? ids : ids.subarray(0, topK);
  if (topP < 1) {
    const wanted = shareOf(totalOf({ ids: kept, weights }), share, "up");
    let mass = 0;
    kept = kept.subarray(0, 1 + kept.findIndex((id) => (mass += weights[id]!) >= wanted));
  }
  return { ids: kept.toSorted(), weights };
}

/** The candidate at a place of the row of all weights, `fraction` / 2^32 of its length from the beginning. */
function drawn(candidates: Candidates, fraction: number): number {
  let rest = shareOf(totalOf(candidates), fraction, "down");
  for (const id of candidates.ids) {
    const weight = candidates.weights[id]!;
    if (rest < weight) return id;
    rest -= weight;
  }
  return candidates.ids.at(-1) ?? 0;
}

/** Oracle of `sample`: logits [rows, vocabulary] → chosen [rows]; marks the chosen tokens as seen. */
export function sampleCpu(
  { logits, streams, chosen, seen }: Readonly<Partial<Record<string, Values>>>,
  [rows, vocabulary]: Shape,
  attributes: SampleAttributes,
): void {
  const words = Math.ceil(vocabulary! / BITS);
  for (let row = 0; row < rows!; row++) {
    const seenOfRow = seen?.subarray(row * words, (row + 1) * words);
    const values = logitsOfRow(
      { logits: logits!.subarray(row * vocabulary!, (row + 1) * vocabulary!), seen: seenOfRow },
      attributes,
    );
    const id =
      attributes.temperature === 0
        ? likeliest(values)
        : drawn(survivors(values, attributes), counterHash(attributes.seed, streams![row]!, attributes.step));
    chosen![row] = id;
    if (seenOfRow !== undefined) seenOfRow[Math.floor(id / BITS)]! |= 1 << (id % BITS);
  }
}
