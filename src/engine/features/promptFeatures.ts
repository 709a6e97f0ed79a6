import { encodeRows, type Reader } from "./encodeRows.ts";
import { activeCount, createRowCollector, eachActive, type SparseRows } from "./sparseRows.ts";

/** The features of a text, token by token. */
export interface PromptFeatures {
  readonly tokens: readonly string[];
  /** Whether a token is the start of text, which the autoencoder does not know; its row is empty. */
  readonly isStart: readonly boolean[];
  /** Active features, the one with the strongest activation first; at most 256. */
  readonly features: Int32Array;
  readonly names: readonly string[];
  /** Activations [tokens · features]. */
  readonly activations: Float32Array;
  /** Active features at each token. */
  readonly l0: Float32Array;
  /**
   * Share of each row's squared distance from the text's mean row that is not explained, NaN at the start of text and
   * where the text has one row alone; null without a decoder.
   */
  readonly unexplained: Float32Array | null;
}

/** Features that are listed of a text at most: those with the strongest activations. */
export const LARGEST_FEATURES = 256;

/** What a text's words and features are called. */
interface Labels {
  /** Texts of the tokens. */
  readonly tokens: readonly string[];
  /** By feature. */
  readonly names: readonly string[];
}

/** Reads a text. Throws RangeError for one without tokens, or longer than the model's longest position. */
export async function promptFeatures(
  reader: Reader,
  ids: Int32Array<ArrayBuffer>,
  { tokens, names }: Labels,
): Promise<PromptFeatures> {
  const { sae, model, startToken } = reader;
  if (ids.length === 0) throw new RangeError("The text has no tokens to look at.");
  if (ids.length > model.config.maxPositions)
    throw new RangeError(
      `The text has ${ids.length} tokens, and the model reads ${model.config.maxPositions}: shorten it.`,
    );
  const isStart = Array.from(ids, (id) => id === startToken);
  const collector = createRowCollector(sae.width);
  const streams: { hidden: Float32Array; restored: Float32Array }[] = [];
  const flat = { tokenIds: ids, segments: [{ prompt: ids.length, branches: [] }] };
  await encodeRows(reader, flat, (part) => {
    for (let at = 0; at < part.rows; at++) {
      const row = part.activations.subarray(at * sae.width, (at + 1) * sae.width);
      collector.add(isStart[part.first + at] === true ? null : row);
    }
    if (part.streams !== null) streams.push(...rowsOf(part.streams, sae.inputSize));
  });
  const rows = collector.finish();
  const features = strongestFeatures(rows);
  return {
    tokens,
    isStart,
    features,
    names: Array.from(features, (feature) => names[feature] ?? ""),
    activations: denseRows(rows, features),
    l0: Float32Array.from(isStart, (_, row) => activeCount(rows, row)),
    unexplained: sae.decoder === null ? null : unexplainedRows(streams, isStart),
  };
}

function rowsOf({ hidden, restored }: { hidden: Float32Array; restored: Float32Array }, size: number) {
  return Array.from({ length: hidden.length / size }, (_, row) => ({
    hidden: hidden.subarray(row * size, (row + 1) * size),
    restored: restored.subarray(row * size, (row + 1) * size),
  }));
}

/** Features by their largest activation; equal ones in the order of their numbers. */
function strongestFeatures(rows: SparseRows): Int32Array {
  const largest = new Map<number, number>();
  for (let row = 0; row + 1 < rows.starts.length; row++)
    eachActive(rows, row, (feature, value) => {
      largest.set(feature, Math.max(largest.get(feature) ?? 0, value));
    });
  const ordered = [...largest].sort(([a, x], [b, y]) => y - x || a - b);
  return Int32Array.from(ordered.slice(0, LARGEST_FEATURES), ([feature]) => feature);
}

/** [tokens · features] */
function denseRows(rows: SparseRows, features: Int32Array): Float32Array {
  const places = new Map(Array.from(features, (feature, place) => [feature, place]));
  const count = rows.starts.length - 1;
  const dense = new Float32Array(count * features.length);
  for (let row = 0; row < count; row++)
    eachActive(rows, row, (feature, value) => {
      const place = places.get(feature);
      if (place !== undefined) dense[row * features.length + place] = value;
    });
  return dense;
}

function unexplainedRows(
  streams: readonly { readonly hidden: Float32Array; readonly restored: Float32Array }[],
  isStart: readonly boolean[],
): Float32Array {
  const known = streams.filter((_, row) => isStart[row] !== true);
  const size = streams[0]?.hidden.length ?? 0;
  const mean = Float64Array.from(
    { length: size },
    (_, i) => known.reduce((sum, { hidden }) => sum + hidden[i]!, 0) / known.length,
  );
  return Float32Array.from(streams, ({ hidden, restored }, row) => {
    if (isStart[row] === true || known.length < 2) return NaN;
    let [error, distance] = [0, 0];
    for (let i = 0; i < size; i++) {
      error += (hidden[i]! - restored[i]!) ** 2;
      distance += (hidden[i]! - mean[i]!) ** 2;
    }
    return error / distance;
  });
}
