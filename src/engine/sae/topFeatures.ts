/** The largest pooled values of an answer, without sorting the row. */
import type { SparseFeatures } from "./sparseFeatures.ts";

/** Pooled features of an answer, all of them or as a record. */
export type FeatureRow = Float32Array | Float64Array | SparseFeatures;

function isRecord(row: FeatureRow): row is SparseFeatures {
  return "index" in row;
}

/** Number of features of a row. */
export function widthOf(row: FeatureRow): number {
  return isRecord(row) ? row.width : row.length;
}

/** A function that gives the value of any feature of a row. */
export function valueReader(row: FeatureRow): (feature: number) => number {
  const values = isRecord(row) ? row.values : row;
  const index = isRecord(row) ? row.index : null;
  if (index === null) return (feature) => values[feature]!;
  return (feature) => {
    const place = firstPlace(index.length, (at) => index[at]! >= feature);
    return index[place] === feature ? values[place]! : 0;
  };
}

/** The first of `count` places of which something holds that holds of all later ones; `count` if there is none. */
function firstPlace(count: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Features from `first` on and before `end`, such as those of one autoencoder among several. */
export interface FeatureBlock {
  readonly first: number;
  readonly end: number;
}

/**
 * The features of a block with the `count` largest values above 0, largest first; equal values in the order of their
 * indices; the block is the whole row when left out. One walk over the row: a value that is not above the smallest kept
 * one costs a comparison.
 */
export function topFeatures(
  row: FeatureRow,
  count: number,
  { first, end }: FeatureBlock = { first: 0, end: widthOf(row) },
): Int32Array {
  const values = isRecord(row) ? row.values : row;
  const index = isRecord(row) ? row.index : null;
  const placeOf = (feature: number): number =>
    index === null ? feature : firstPlace(index.length, (at) => index[at]! >= feature);
  const [start, stop] = [placeOf(first), placeOf(end)];
  const room = Math.min(count, stop - start);
  const features = new Int32Array(room);
  const kept = new Float64Array(room);
  let held = 0;
  // What it takes to be kept; features come in ascending order, so that an equal value comes too late.
  let bar = 0;
  for (let place = start; place < stop; place++) {
    const value = values[place]!;
    if (!(value > bar) || room === 0) continue;
    const rank = firstPlace(held, (at) => kept[at]! < value);
    kept.copyWithin(rank + 1, rank, Math.min(held, room - 1));
    features.copyWithin(rank + 1, rank, Math.min(held, room - 1));
    kept[rank] = value;
    features[rank] = index === null ? place : index[place]!;
    held = Math.min(held + 1, room);
    if (held === room) bar = kept[room - 1]!;
  }
  return features.slice(0, held);
}
