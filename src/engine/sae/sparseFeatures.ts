/** The pooled features of one answer as they are kept: the values that are not zero, or all where that is smaller. */

const VALUE_BYTES = 4;
/** Sizes up to this have indices of two bytes. */
const SHORT_WIDTH = 65_536;

/** All pooled values of an answer that are not zero; everything else is zero. */
export interface SparseFeatures {
  /** Features of the autoencoder. */
  readonly width: number;
  /** The feature of each value, ascending; null when `values` holds all `width` of them. */
  readonly index: Uint16Array | Uint32Array | null;
  readonly values: Float32Array;
}

function indexOfWidth(width: number, count: number): Uint16Array | Uint32Array {
  return width <= SHORT_WIDTH ? new Uint16Array(count) : new Uint32Array(count);
}

/** Bytes that a record of so many values takes, of a row of `width` features. */
export function recordBytes(count: number, width: number): number {
  return Math.min(width * VALUE_BYTES, count * (VALUE_BYTES + indexOfWidth(width, 0).BYTES_PER_ELEMENT));
}

function isKept(value: number): boolean {
  return !Object.is(value, 0);
}

/** A record of a row [width], whose values are rounded to 32 bits. */
export function sparseFeatures(row: ArrayLike<number>): SparseFeatures {
  const width = row.length;
  const values = Float32Array.from(row);
  const count = values.reduce((sum, value) => sum + (isKept(value) ? 1 : 0), 0);
  if (recordBytes(count, width) === width * VALUE_BYTES) return { width, index: null, values };
  const index = indexOfWidth(width, count);
  const kept = new Float32Array(count);
  let next = 0;
  values.forEach((value, feature) => {
    if (!isKept(value)) return;
    index[next] = feature;
    kept[next++] = value;
  });
  return { width, index, values: kept };
}
