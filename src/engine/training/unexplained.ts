/** How much of the variance of the scored positions' streams the autoencoders of a tap leave unexplained. */
import { gatherRows } from "../kernels/gatherRows/gatherRows.ts";
import type { ScoredRows } from "../models/rows.ts";
import { createVarianceMeter, reconstruct } from "../sae/reconstruct.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { dispose, read, tensor } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "./deviceBatch.ts";
import { poolOf, type DevicePool, type FeatureTap } from "./featureTap.ts";

/** Rows that are reconstructed at once: activations of a large dictionary are long. */
const ROWS_AT_ONCE = 256;

/** Adds up batches of one evaluation. */
export interface Unexplained {
  /** Adds the scored positions of a batch, from the streams [rows, hidden] by their layer. */
  readonly add: (streams: ReadonlyMap<number, Tensor>, batch: DeviceBatch) => Promise<void>;
  /** Fraction of variance unexplained, of a mean autoencoder; NaN where none has a decoder or no two rows differ. */
  readonly share: () => number;
}

/** Some rows of a stream [rows, hidden], at most 256, and what an autoencoder makes of them; the caller disposes `tensors`. */
export function restoreRows(
  sae: SparseAutoencoder,
  stream: Tensor,
  { rows, scored }: { readonly rows: Int32Array; readonly scored: ScoredRows },
): { readonly hidden: Tensor; readonly restored: Tensor; readonly tensors: readonly Tensor[] } {
  const indices = tensor(rows.slice(0, ROWS_AT_ONCE), [Math.min(rows.length, ROWS_AT_ONCE)]);
  const hidden = gatherRows(stream, { indices, inverse: scored.inverse });
  const { activations, restored } = reconstruct(sae, hidden);
  return { hidden, restored, tensors: [indices, hidden, activations, restored] };
}

/** The tables of a batch for pooling without a way back, which keep what is to be reconstructed. */
export function evaluationPool(tap: FeatureTap, batch: DeviceBatch): DevicePool {
  const keepsStreams = tap.saes.some(({ decoder }) => decoder !== null);
  return poolOf(tap, batch, { hasWayBack: false, keepsStreams });
}

/** A measure over the autoencoders of a tap that have a decoder; starts of texts are left out. */
export function createUnexplained({ saes, startToken }: FeatureTap): Unexplained {
  const able = saes
    .filter(({ decoder }) => decoder !== null)
    .map((sae) => ({ sae, meter: createVarianceMeter() }));
  return {
    add: async (streams, { flat, scored }) => {
      const rows = flat.scoredRows.filter((row) => flat.tokenIds[row] !== startToken);
      for (const { sae, meter } of able) {
        const stream = streams.get(sae.layer);
        if (stream === undefined) throw new Error(`The stream after block ${sae.layer} was not kept.`);
        for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
          const some = rows.subarray(start, start + ROWS_AT_ONCE);
          const { hidden, restored, tensors } = restoreRows(sae, stream, { rows: some, scored });
          try {
            const [values, found] = await Promise.all([read(hidden), read(restored)]);
            meter.add(values, found, sae.inputSize);
          } finally {
            dispose(tensors);
          }
        }
      }
    },
    share: () => able.reduce((sum, { meter }) => sum + meter.unexplained(), 0) / able.length,
  };
}
