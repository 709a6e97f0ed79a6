import type { Binding, Floats, Values } from "../../tensor/op.ts";
import type { AttentionAttributes } from "./attention.ts";
import { headsAlone, type HeadLayout, type Heads } from "./headLayout.ts";

/** What the logarithm of an empty sum is stored as. */
const minusInfinity = -1e30;

/** Arrays by the names of their bindings. */
export type Arrays = Readonly<Record<string, Values>>;

/** Inputs by the names of their bindings. */
export function byName(bindings: readonly Binding[], inputs: readonly Values[]): Arrays {
  return Object.fromEntries(bindings.map(({ name }, index) => [name, inputs[index]!]));
}

/** A vector of one head of one row. */
interface Vector {
  readonly values: Values;
  readonly start: number;
}

/** Finds the vector of (row, head). */
function finder(arrays: Arrays, heads: Heads, headDim: number): (row: number, head: number) => Vector {
  const values = arrays[heads.buffer]!;
  return (row, head) => ({ values, start: row * heads.stride + heads.start + head * headDim });
}

function dot(a: Vector, b: Vector, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a.values[a.start + i]! * b.values[b.start + i]!;
  return sum;
}

function add(target: Float64Array, factor: number, source: Vector): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source.values[source.start + i]!;
}

/** The rows that the ranges of `row` name, in their order; `ranges` is [rows, 2 · count]. */
function rowsSeen(ranges: Values, row: number, rows: number): number[] {
  const seen: number[] = [];
  const width = ranges.length / rows;
  for (let at = row * width; at < (row + 1) * width; at += 2) {
    for (let other = ranges[at]!; other < ranges[at + 1]!; other++) seen.push(other);
  }
  return seen;
}

/** Score of an inner product, and its derivative by the product. */
function scoreOf(product: number, { scale, softCap }: AttentionAttributes): { score: number; slope: number } {
  if (softCap === undefined) return { score: scale * product, slope: scale };
  const bent = Math.tanh((scale * product) / softCap);
  return { score: softCap * bent, slope: scale * (1 - bent * bent) };
}

/** Softmax attention of every (row, head) over the keys of the row's ranges; fills o and logSumExp. */
export function attentionCpu(
  arrays: Arrays,
  [o, logSumExp]: readonly Floats[],
  layout: HeadLayout,
  attributes: AttentionAttributes,
): void {
  const { heads, keyValueHeads, headDim } = attributes;
  const rows = logSumExp!.length / heads;
  const query = finder(arrays, layout.q, headDim);
  const key = finder(arrays, layout.k, headDim);
  const value = finder(arrays, layout.v, headDim);
  for (let row = 0; row < rows; row++) {
    const seen = rowsSeen(arrays["keyRanges"]!, row, rows);
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor(head / (heads / keyValueHeads));
      const own = query(row, head);
      const scores = Float64Array.from(
        seen,
        (keyRow) => scoreOf(dot(own, key(keyRow, keyHead), headDim), attributes).score,
      );
      const largest = scores.reduce((a, b) => Math.max(a, b), minusInfinity);
      const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
      const output = new Float64Array(headDim);
      seen.forEach((keyRow, index) => {
        add(output, Math.exp(scores[index]! - largest) / sum, value(keyRow, keyHead));
      });
      const item = row * heads + head;
      o!.set(output, item * headDim);
      logSumExp![item] = seen.length > 0 ? largest + Math.log(sum) : minusInfinity;
    }
  }
}

/** Row sums of the output times its gradient, per head. */
export function attentionDeltaCpu(
  dOutput: Values,
  o: Values,
  delta: Floats,
  { headDim }: { readonly headDim: number },
): void {
  for (let item = 0; item < delta.length; item++) {
    const start = item * headDim;
    delta[item] = dot({ values: dOutput, start }, { values: o, start }, headDim);
  }
}

/** Adds dxa · A to the gradient of the outputs; A [rank, width] lies in `theta` from `aOffset` on. */
export function addAdapterCpu(
  dOutput: Floats,
  dxa: Values,
  theta: Values,
  { rank, width, aOffset }: { readonly rank: number; readonly width: number; readonly aOffset: number },
): void {
  for (let item = 0; item < dOutput.length; item++) {
    const [row, column] = [Math.floor(item / width), item % width];
    let sum = dOutput[item]!;
    for (let r = 0; r < rank; r++) sum += dxa[row * rank + r]! * theta[aOffset + r * width + column]!;
    dOutput[item] = sum;
  }
}

/** Undoes the rotation of packed heads while their gradients are stored. */
export interface TurnBack {
  /** Leading numbers of a head that were turned, in pairs (i, i + rotary / 2). */
  readonly rotary: number;
  /** [maxPositions, rotary / 2, 2] */
  readonly table: Values;
  /** [rows] */
  readonly positions: Values;
}

/** Turns the gradient of a rotated vector into that of the vector before. */
function turnBack(sum: Float64Array, row: number, turn: TurnBack | undefined): void {
  if (turn === undefined) return;
  const half = turn.rotary / 2;
  for (let plane = 0; plane < half; plane++) {
    const at = (turn.positions[row]! * half + plane) * 2;
    const [cosine, sine] = [turn.table[at]!, turn.table[at + 1]!];
    const [a, b] = [sum[plane]!, sum[plane + half]!];
    sum[plane] = a * cosine + b * sine;
    sum[plane + half] = b * cosine - a * sine;
  }
}

/** Heads whose gradients are computed, by the array that takes them. */
export interface Target {
  readonly values: Values;
  readonly heads: Heads;
}

/** Gradient of the queries: keys weighted by the derivative of the loss by each score. Without `delta` it reads `o`. */
export function queryGradientCpu(
  arrays: Arrays,
  { layout, dq, turn }: { layout: HeadLayout; dq: Target; turn?: TurnBack | undefined },
  attributes: AttentionAttributes,
): void {
  const { heads, keyValueHeads, headDim } = attributes;
  const { logSumExp, delta, o } = arrays;
  const rows = logSumExp!.length / heads;
  const query = finder(arrays, layout.q, headDim);
  const key = finder(arrays, layout.k, headDim);
  const value = finder(arrays, layout.v, headDim);
  const upstreamOf = finder(arrays, headsAlone("dOutput", heads * headDim), headDim);
  for (let row = 0; row < rows; row++) {
    const seen = rowsSeen(arrays["keyRanges"]!, row, rows);
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor(head / (heads / keyValueHeads));
      const item = row * heads + head;
      const own = query(row, head);
      const upstream = upstreamOf(row, head);
      const mean =
        delta === undefined ? dot(upstream, { values: o!, start: item * headDim }, headDim) : delta[item]!;
      const sum = new Float64Array(headDim);
      for (const keyRow of seen) {
        const { score, slope } = scoreOf(dot(own, key(keyRow, keyHead), headDim), attributes);
        const probability = Math.exp(score - logSumExp![item]!);
        const pull = dot(upstream, value(keyRow, keyHead), headDim) - mean;
        add(sum, probability * pull * slope, key(keyRow, keyHead));
      }
      turnBack(sum, row, turn);
      store(dq, sum, row, head);
    }
  }
}

/** Which gradients of keys and values are wanted, and where they go. */
export interface KeyValueTargets {
  readonly layout: HeadLayout;
  readonly dk?: Target;
  readonly dv?: Target;
  readonly turn?: TurnBack | undefined;
}

/**
 * Gradients of the keys (queries weighted by the derivative of the loss by each score) and of the values (gradients of
 * the outputs weighted by the probabilities), summed over the query heads that share a key's head.
 */
export function keyValueGradientCpu(
  arrays: Arrays,
  { layout, dk, dv, turn }: KeyValueTargets,
  attributes: AttentionAttributes,
): void {
  const { heads, keyValueHeads, headDim } = attributes;
  const { logSumExp, delta, queryRanges } = arrays;
  const share = heads / keyValueHeads;
  const rows = arrays[layout.k.buffer]!.length / layout.k.stride;
  const query = finder(arrays, layout.q, headDim);
  const key = finder(arrays, layout.k, headDim);
  const value = dk && finder(arrays, layout.v, headDim);
  const upstreamOf = finder(arrays, headsAlone("dOutput", heads * headDim), headDim);
  for (let keyItem = 0; keyItem < rows * keyValueHeads; keyItem++) {
    const [keyRow, keyHead] = [Math.floor(keyItem / keyValueHeads), keyItem % keyValueHeads];
    const keySum = new Float64Array(headDim);
    const valueSum = new Float64Array(headDim);
    const own = key(keyRow, keyHead);
    for (const row of rowsSeen(queryRanges!, keyRow, rows)) {
      for (let head = keyHead * share; head < (keyHead + 1) * share; head++) {
        const item = row * heads + head;
        const upstream = upstreamOf(row, head);
        const { score, slope } = scoreOf(dot(query(row, head), own, headDim), attributes);
        const probability = Math.exp(score - logSumExp![item]!);
        if (dv) add(valueSum, probability, upstream);
        if (!value) continue;
        const pull = dot(upstream, value(keyRow, keyHead), headDim) - delta![item]!;
        add(keySum, probability * pull * slope, query(row, head));
      }
    }
    turnBack(keySum, keyRow, turn);
    store(dk, keySum, keyRow, keyHead);
    store(dv, valueSum, keyRow, keyHead);
  }
}

function store(target: Target | undefined, sum: Float64Array, row: number, head: number): void {
  if (target === undefined) return;
  const { stride, start } = target.heads;
  (target.values as Floats).set(sum, row * stride + start + head * sum.length);
}
