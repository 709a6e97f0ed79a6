/** Which rows of a flat batch each answer pools, as the tables of `featurePool` and `featurePoolGradient`. */
import type { FlatBatch } from "../data/batch.ts";

/** What the tables are made from. */
type PooledBatch = Pick<
  FlatBatch,
  "tokenIds" | "scoredRows" | "scoredInverse" | "entrySequence" | "sequences"
>;

/** Tables of the pooling; answers are the batch's sequences. */
export interface PoolTables {
  /** [entries]: the row of each entry; −1 where it reads the start of the text */
  readonly scoredRows: Int32Array<ArrayBuffer>;
  /** [answers, 2]: first entry and the one after the last */
  readonly entryRanges: Int32Array<ArrayBuffer>;
  /** [rows, 2]: the answers that pool the row; −1 where there is none */
  readonly rowAnswers: Int32Array<ArrayBuffer>;
}

/**
 * The tables of a batch, whose entries lie sequence by sequence. Rows of `excludedToken`, the start of a text, are
 * outside of what autoencoders are trained on: they are not pooled, but count in the mean.
 */
export function poolTables(batch: PooledBatch, excludedToken: number | null): PoolTables {
  const { tokenIds, scoredRows, scoredInverse, entrySequence, sequences } = batch;
  const isPooled = (row: number): boolean => excludedToken === null || tokenIds[row] !== excludedToken;
  const entryRanges = new Int32Array(2 * sequences);
  entrySequence.forEach((sequence, entry) => {
    if (entry === 0 || entrySequence[entry - 1] !== sequence) entryRanges[2 * sequence] = entry;
    entryRanges[2 * sequence + 1] = entry + 1;
  });
  return {
    scoredRows: scoredRows.map((row) => (isPooled(row) ? row : -1)),
    entryRanges,
    rowAnswers: scoredInverse.map((entry, place) =>
      entry >= 0 && isPooled(Math.floor(place / 2)) ? entrySequence[entry]! : -1,
    ),
  };
}
