/** Activations of many rows on the host: those that are not zero, row after row. */

/** The active features of row r lie from `starts[r]` to `starts[r + 1]`, ascending. */
export interface SparseRows {
  /** Features of the autoencoder. */
  readonly width: number;
  /** [rows + 1] */
  readonly starts: Uint32Array;
  readonly features: Uint32Array;
  readonly values: Float32Array;
}

/** Collects rows one after another. */
export interface RowCollector {
  /** Adds the next row [width]; null for one without activations. */
  readonly add: (row: ArrayLike<number> | null) => void;
  readonly finish: () => SparseRows;
}

/** Bytes are taken in doubling steps from here on. */
const FIRST_ROOM = 1024;

/** A collector for rows of `width` activations. */
export function createRowCollector(width: number): RowCollector {
  const starts = [0];
  let features = new Uint32Array(FIRST_ROOM);
  let values = new Float32Array(FIRST_ROOM);
  let count = 0;
  const put = (feature: number, value: number): void => {
    if (count === values.length) {
      const [oldFeatures, oldValues] = [features, values];
      features = new Uint32Array(2 * count);
      values = new Float32Array(2 * count);
      features.set(oldFeatures);
      values.set(oldValues);
    }
    features[count] = feature;
    values[count++] = value;
  };
  return {
    add: (row) => {
      for (let feature = 0; feature < (row?.length ?? 0); feature++) {
        const value = row![feature]!;
        if (value !== 0) put(feature, value);
      }
      starts.push(count);
    },
    finish: () => ({
      width,
      starts: Uint32Array.from(starts),
      features: features.slice(0, count),
      values: values.slice(0, count),
    }),
  };
}

/** Number of active features of a row. */
export function activeCount({ starts }: SparseRows, row: number): number {
  return starts[row + 1]! - starts[row]!;
}

/** Calls `visit` for every active feature of a row. */
export function eachActive(
  { starts, features, values }: SparseRows,
  row: number,
  visit: (feature: number, value: number) => void,
): void {
  for (let place = starts[row]!; place < starts[row + 1]!; place++) visit(features[place]!, values[place]!);
}

/** Activation of a feature at a row. */
export function activationAt({ starts, features, values }: SparseRows, row: number, feature: number): number {
  let [low, high] = [starts[row]!, starts[row + 1]!];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (features[middle]! < feature) low = middle + 1;
    else high = middle;
  }
  return low < starts[row + 1]! && features[low] === feature ? values[low]! : 0;
}
