/** Forward passes that score tokens: the batch on the device, and log-prob, entropy and KL of every scored token. */
import type { FlatBatch } from "../data/batch.ts";
import { lmHeadLogProbs, statisticsWidth } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import {
  causalAttention,
  forwardLayers,
  headName,
  scoredHidden,
  type Model,
  type Rows,
  type ScoredRows,
} from "../models/decoder.ts";
import { parameter, withoutAdapters, type Weights } from "../models/weights.ts";
import { dispose, read, tensor, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** A flat batch whose tables lie on the device; the owner disposes it. */
export interface DeviceBatch {
  readonly flat: FlatBatch;
  readonly rows: Rows;
  readonly scored: ScoredRows;
  /** [entries] the token that each scored row should predict */
  readonly labels: Tensor;
  readonly dispose: () => void;
}

/** Numbers of each scored token, on the host; arrays have one entry per scored token. */
export interface EntryStatistics {
  readonly logps: Float64Array;
  /** Next-token entropy in nats. */
  readonly entropies: Float64Array;
  /** KL(reference ‖ policy) in nats; zeros when no reference was given. */
  readonly divergences: Float64Array;
  /** Mean logit over the vocabulary. */
  readonly meanLogits: Float64Array;
}

/** Puts a batch's tables on the device. */
export function uploadBatch(flat: FlatBatch): DeviceBatch {
  const rowCount = flat.tokenIds.length;
  const tables = {
    tokenIds: tensor(flat.tokenIds, [rowCount]),
    positions: tensor(flat.positions, [rowCount]),
    keyRanges: tensor(flat.keyRanges, [rowCount, 2]),
    queryRanges: tensor(flat.queryRanges, [rowCount, 2]),
    scoredRows: tensor(flat.scoredRows, [flat.scoredRows.length]),
    inverse: tensor(flat.scoredInverse, [rowCount, 2]),
    labels: tensor(flat.labels, [flat.labels.length]),
  };
  return {
    flat,
    rows: { tokenIds: tables.tokenIds, positions: tables.positions, attend: causalAttention(tables) },
    scored: { rows: tables.scoredRows, inverse: tables.inverse },
    labels: tables.labels,
    dispose: () => {
      dispose(Object.values(tables));
    },
  };
}

/** Statistics of the scored tokens: residual stream [rows, hidden] → [entries, statisticsWidth]. */
export function headStatistics(
  model: Model,
  weights: Weights,
  batch: DeviceBatch,
  stream: { readonly x: Tensor; readonly reference?: Tensor },
): Tensor {
  const hidden = scoredHidden(model, weights, stream.x, batch.scored);
  const { reference } = stream;
  return lmHeadLogProbs({
    hidden,
    weight: parameter(weights, headName(model.config)),
    labels: batch.labels,
    ...(reference === undefined ? {} : { reference }),
  });
}

/** The reference's hidden states of the scored rows, [entries, hidden], for KL later on; the caller disposes it. */
export async function referenceHidden(model: Model, batch: DeviceBatch): Promise<Tensor> {
  const reference = withoutAdapters(model.base);
  const x = await forwardLayers(model, reference, batch.rows);
  try {
    return tidy(() => scoredHidden(model, reference, x, batch.scored));
  } finally {
    dispose(x);
  }
}

/** One forward pass; with `reference` hidden states the KL is measured as well. */
export async function scoreBatch(
  model: Model,
  weights: Weights,
  batch: DeviceBatch,
  reference?: Tensor,
): Promise<EntryStatistics> {
  const x = await forwardLayers(model, weights, batch.rows);
  const held = [x];
  try {
    const stream = reference === undefined ? { x } : { x, reference };
    const statistics = tidy(() => headStatistics(model, weights, batch, stream));
    held.push(statistics);
    return entryStatistics(await read(statistics));
  } finally {
    dispose(held);
  }
}

/** Splits the head's rows into one array per quantity. */
export function entryStatistics(values: ArrayLike<number>): EntryStatistics {
  const entries = values.length / statisticsWidth;
  const column = (offset: number) =>
    Float64Array.from({ length: entries }, (_, entry) => values[entry * statisticsWidth + offset] ?? NaN);
  return { logps: column(0), entropies: column(1), divergences: column(2), meanLogits: column(3) };
}

/** Sums a per-token quantity by sequence: [entries] → [sequences]. */
export function sumBySequence(flat: FlatBatch, perToken: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(flat.sequences);
  flat.entrySequence.forEach((sequence, entry) => {
    sums[sequence] = (sums[sequence] ?? 0) + (perToken[entry] ?? NaN);
  });
  return sums;
}
