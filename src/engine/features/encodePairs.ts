import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { createVarianceMeter } from "../sae/reconstruct.ts";
import { encodeRows, type EncodedPart, type Reader } from "./encodeRows.ts";
import { eachPosition, pairsWithin, rowCount } from "./pairRows.ts";
import { activeCount, createRowCollector, type SparseRows } from "./sparseRows.ts";

/** What an autoencoder finds in pairs under one model. */
export interface EncodedPairs {
  /** Prompt, chosen and rejected answer of one pair after another; rows of the start of a text are empty. */
  readonly rows: SparseRows;
  /** Mean number of active features at a position; NaN without positions. */
  readonly l0: number;
  /** Share of the stream's variance at the positions that the autoencoder does not explain; null without a decoder. */
  readonly unexplained: number | null;
}

/** Pairs that features are looked at on, under the untouched model and, once there is one, under the tuned one. */
export interface FeatureCorpus {
  readonly pairs: readonly TokenPair[];
  readonly startToken: number | null;
  readonly before: EncodedPairs;
  readonly after: EncodedPairs | null;
}

/** Rows that run through the layers together. */
const ROWS_AT_ONCE = 1024;

/** Reads pairs, as many at once as fit, and keeps the activations of every token. Positions are as `eachPosition` has them. */
export async function encodePairs(reader: Reader, pairs: readonly TokenPair[]): Promise<EncodedPairs> {
  const collector = createRowCollector(reader.sae.width);
  const meter = createVarianceMeter();
  for (let start = 0; start < pairs.length;) {
    const some = pairsWithin(pairs.slice(start), ROWS_AT_ONCE);
    start += some.length;
    const isLooked = lookedAt(some, reader.startToken);
    const flat = pairBatch(some);
    await encodeRows(reader, flat, (part) => {
      const { width } = reader.sae;
      for (let at = 0; at < part.rows; at++) {
        const isStart = flat.tokenIds[part.first + at] === reader.startToken;
        collector.add(isStart ? null : part.activations.subarray(at * width, (at + 1) * width));
        if (isLooked[part.first + at] === 1) addStreams(meter, part, at);
      }
    });
  }
  const rows = collector.finish();
  let [positions, active] = [0, 0];
  eachPosition(pairs, reader.startToken, ({ row }) => {
    positions++;
    active += activeCount(rows, row);
  });
  return {
    rows,
    l0: active / positions,
    unexplained: reader.sae.decoder === null ? null : meter.unexplained(),
  };
}

/** 1 for each row that is a position, of one answer or of both. */
function lookedAt(pairs: readonly TokenPair[], startToken: number | null): Uint8Array {
  const isLooked = new Uint8Array(pairs.reduce((sum, pair) => sum + rowCount(pair), 0));
  eachPosition(pairs, startToken, ({ row }) => {
    isLooked[row] = 1;
  });
  return isLooked;
}

function addStreams(
  meter: ReturnType<typeof createVarianceMeter>,
  { streams, rows }: EncodedPart,
  at: number,
) {
  if (streams === null) return;
  const size = streams.hidden.length / rows;
  const [from, end] = [at * size, (at + 1) * size];
  meter.add(streams.hidden.subarray(from, end), streams.restored.subarray(from, end), size);
}
