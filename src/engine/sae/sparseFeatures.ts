/** The pooled features of one answer as they are kept: the values that are not zero, or all where that is smaller. */

const VALUE_BYTES = 4;
/** Sizes up to this have indices of two bytes. */
const SHORT_WIDTH = 65_536;
/** Width, number of values, and whether they are dense: three 32-bit words. */
const HEADER_BYTES = 12;

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

function isKept(value: number): boolean {
  return !Object.is(value, 0);
}

/** A record of a row [width], whose values are rounded to 32 bits. */
export function sparseFeatures(row: ArrayLike<number>): SparseFeatures {
  const width = row.length;
  const values = Float32Array.from(row);
  const count = values.reduce((sum, value) => sum + (isKept(value) ? 1 : 0), 0);
  const bytesOfOne = VALUE_BYTES + indexOfWidth(width, 0).BYTES_PER_ELEMENT;
  if (width * VALUE_BYTES <= count * bytesOfOne) return { width, index: null, values };
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

/** The row [width] of a record. */
export function denseFeatures({ width, index, values }: SparseFeatures): Float32Array {
  if (index === null) return values.slice();
  const row = new Float32Array(width);
  index.forEach((feature, place) => (row[feature] = values[place]!));
  return row;
}

/** Bytes that `encodeSparseFeatures` makes of a record. */
export function sparseFeatureBytes({ index, values }: SparseFeatures): number {
  return HEADER_BYTES + values.byteLength + (index?.byteLength ?? 0);
}

/** A record as bytes, little-endian: width, number of values, 1 if dense; the values; their indices. */
export function encodeSparseFeatures(record: SparseFeatures): Uint8Array<ArrayBuffer> {
  const { width, index, values } = record;
  const bytes = new Uint8Array(sparseFeatureBytes(record));
  const view = new DataView(bytes.buffer);
  [width, values.length, index === null ? 1 : 0].forEach((word, place) => {
    view.setUint32(place * 4, word, true);
  });
  let at = HEADER_BYTES;
  for (const value of values) {
    view.setFloat32(at, value, true);
    at += VALUE_BYTES;
  }
  for (const feature of index ?? []) {
    if (index instanceof Uint16Array) view.setUint16(at, feature, true);
    else view.setUint32(at, feature, true);
    at += index!.BYTES_PER_ELEMENT;
  }
  return bytes;
}

/** The record that `encodeSparseFeatures` made these bytes of; throws RangeError where they cannot be one. */
export function decodeSparseFeatures(bytes: Uint8Array): SparseFeatures {
  if (bytes.length < HEADER_BYTES)
    throw new RangeError(`A record of features has at least ${HEADER_BYTES} bytes, not ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [width, count, isDense] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [number, number, number];
  const indexBytes = isDense === 1 ? 0 : indexOfWidth(width, 0).BYTES_PER_ELEMENT;
  const expected = HEADER_BYTES + count * (VALUE_BYTES + indexBytes);
  if (bytes.length !== expected || count > width || (isDense === 1 && count !== width))
    throw new RangeError(
      `A record of ${count} of ${width} features has ${expected} bytes, and this one has ${bytes.length}.`,
    );
  const values = Float32Array.from({ length: count }, (_, place) =>
    view.getFloat32(HEADER_BYTES + place * VALUE_BYTES, true),
  );
  if (isDense === 1) return { width, index: null, values };
  const index = indexOfWidth(width, count);
  const start = HEADER_BYTES + count * VALUE_BYTES;
  for (let place = 0; place < count; place++) {
    const at = start + place * indexBytes;
    const feature = index instanceof Uint16Array ? view.getUint16(at, true) : view.getUint32(at, true);
    if (feature >= width || (place > 0 && feature <= index[place - 1]!))
      throw new RangeError(`A record of ${width} features lists feature ${feature} out of order.`);
    index[place] = feature;
  }
  return { width, index, values };
}
