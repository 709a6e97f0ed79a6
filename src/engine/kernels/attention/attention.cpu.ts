import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { AttentionAttributes } from "./attention.ts";

/** What the logarithm of an empty sum is stored as. */
const minusInfinity = -1e30;

/** A vector of one head of one row. */
interface Vector {
  readonly values: Values;
  readonly start: number;
}

function dot(a: Vector, b: Vector, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a.values[a.start + i]! * b.values[b.start + i]!;
  return sum;
}

function add(target: Float64Array, factor: number, source: Vector): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source.values[source.start + i]!;
}

/** Softmax attention of every (row, head) over the keys of the row's range. */
export function attentionCpu(
  [q, k, v, keyRanges]: readonly Values[],
  [o, logSumExp]: readonly Floats[],
  [shape]: readonly Shape[],
  { heads, keyValueHeads, headDim, scale }: AttentionAttributes,
): void {
  for (let item = 0; item < shape![0]! * heads; item++) {
    const row = Math.floor(item / heads);
    const keyHead = Math.floor((item % heads) / (heads / keyValueHeads));
    const first = keyRanges![2 * row]!;
    const count = Math.max(0, keyRanges![2 * row + 1]! - first);
    const startOf = (index: number) => ((first + index) * keyValueHeads + keyHead) * headDim;
    const own = { values: q!, start: item * headDim };
    const scores = Float64Array.from(
      { length: count },
      (_, index) => scale * dot(own, { values: k!, start: startOf(index) }, headDim),
    );
    const largest = scores.reduce((a, b) => Math.max(a, b), minusInfinity);
    const sum = scores.reduce((total, score) => total + Math.exp(score - largest), 0);
    const output = new Float64Array(headDim);
    scores.forEach((score, index) =>
      add(output, Math.exp(score - largest) / sum, { values: v!, start: startOf(index) }),
    );
    o!.set(output, item * headDim);
    logSumExp![item] = count > 0 ? largest + Math.log(sum) : minusInfinity;
  }
}

/** Row sums of the output times its gradient, per head. */
export function attentionDeltaCpu(
  [dOutput, o]: readonly Values[],
  [delta]: readonly Floats[],
  _shapes: readonly Shape[],
  { headDim }: AttentionAttributes,
): void {
  for (let item = 0; item < delta!.length; item++) {
    const start = item * headDim;
    delta![item] = dot({ values: dOutput!, start }, { values: o!, start }, headDim);
  }
}

/** Gradient of the queries: keys weighted by the derivative of the loss by each score. */
export function attentionDqCpu(
  [q, k, v, dOutput, o, logSumExp, keyRanges]: readonly Values[],
  [dq]: readonly Floats[],
  [shape]: readonly Shape[],
  { heads, keyValueHeads, headDim, scale }: AttentionAttributes,
): void {
  for (let item = 0; item < shape![0]! * heads; item++) {
    const row = Math.floor(item / heads);
    const keyHead = Math.floor((item % heads) / (heads / keyValueHeads));
    const query = { values: q!, start: item * headDim };
    const upstream = { values: dOutput!, start: item * headDim };
    const delta = dot(upstream, { values: o!, start: item * headDim }, headDim);
    const sum = new Float64Array(headDim);
    for (let keyRow = keyRanges![2 * row]!; keyRow < keyRanges![2 * row + 1]!; keyRow++) {
      const start = (keyRow * keyValueHeads + keyHead) * headDim;
      const key = { values: k!, start };
      const probability = Math.exp(scale * dot(query, key, headDim) - logSumExp![item]!);
      const slope = dot(upstream, { values: v!, start }, headDim) - delta;
      add(sum, probability * slope * scale, key);
    }
    dq!.set(sum, item * headDim);
  }
}

/** A key of one key-value head, and a query that sees it. */
interface Meeting {
  /** Index of the (key row, key-value head). */
  readonly keyItem: number;
  /** Index of the (query row, head). */
  readonly queryItem: number;
}

/** Calls `visit` for every key and each query of its range, over the query heads that share the key's head. */
function forEachMeeting(
  queryRanges: Values,
  { heads, keyValueHeads }: AttentionAttributes,
  visit: (meeting: Meeting) => void,
): void {
  const share = heads / keyValueHeads;
  for (let keyItem = 0; keyItem < (queryRanges.length / 2) * keyValueHeads; keyItem++) {
    const keyRow = Math.floor(keyItem / keyValueHeads);
    const first = (keyItem % keyValueHeads) * share;
    for (let head = first; head < first + share; head++) {
      for (let row = queryRanges[2 * keyRow]!; row < queryRanges[2 * keyRow + 1]!; row++) {
        visit({ keyItem, queryItem: row * heads + head });
      }
    }
  }
}

/** Gradient of the keys: queries weighted by the derivative of the loss by each score. */
export function attentionDkCpu(
  [q, k, v, dOutput, logSumExp, delta, queryRanges]: readonly Values[],
  [dk]: readonly Floats[],
  _shapes: readonly Shape[],
  attributes: AttentionAttributes,
): void {
  const { headDim, scale } = attributes;
  const sums = new Float64Array(dk!.length);
  forEachMeeting(queryRanges!, attributes, ({ keyItem, queryItem }) => {
    const query = { values: q!, start: queryItem * headDim };
    const upstream = { values: dOutput!, start: queryItem * headDim };
    const score = scale * dot(query, { values: k!, start: keyItem * headDim }, headDim);
    const slope = dot(upstream, { values: v!, start: keyItem * headDim }, headDim) - delta![queryItem]!;
    const weight = Math.exp(score - logSumExp![queryItem]!) * slope * scale;
    add(sums.subarray(keyItem * headDim, (keyItem + 1) * headDim), weight, query);
  });
  dk!.set(sums);
}

/** Gradient of the values: gradients of the outputs weighted by the probabilities. */
export function attentionDvCpu(
  [q, k, dOutput, logSumExp, queryRanges]: readonly Values[],
  [dv]: readonly Floats[],
  _shapes: readonly Shape[],
  attributes: AttentionAttributes,
): void {
  const { headDim, scale } = attributes;
  const sums = new Float64Array(dv!.length);
  forEachMeeting(queryRanges!, attributes, ({ keyItem, queryItem }) => {
    const query = { values: q!, start: queryItem * headDim };
    const score = scale * dot(query, { values: k!, start: keyItem * headDim }, headDim);
    const upstream = { values: dOutput!, start: queryItem * headDim };
    const target = sums.subarray(keyItem * headDim, (keyItem + 1) * headDim);
    add(target, Math.exp(score - logSumExp![queryItem]!), upstream);
  });
  dv!.set(sums);
}
