/** Where a pass pools features of a sparse autoencoder, and the way of their drift back into the stream. */
import type { FlatBatch } from "../data/batch.ts";
import { featurePool } from "../kernels/featurePool/featurePool.ts";
import { featurePoolGradient } from "../kernels/featurePool/featurePoolGradient.ts";
import {
  featureError,
  longestList,
  type FeatureError,
  type FeatureErrorOptions,
  type GradientLists,
} from "../sae/featureErrors.ts";
import { poolTables } from "../sae/poolTables.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import type { FeatureRow } from "../sae/topFeatures.ts";
import { tensor, tidy, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "./deviceBatch.ts";

/** An autoencoder, what of its features counts as drift, and the token whose rows it does not know. */
export interface FeatureTap {
  readonly sae: SparseAutoencoder;
  readonly errors: FeatureErrorOptions;
  /** The start of a text, whose rows are not pooled; null when there is no such token. */
  readonly startToken: number | null;
}

/** Tables of a batch on the device for pooling at a tap. */
export interface DevicePool {
  readonly tap: FeatureTap;
  readonly tensors: readonly Tensor[];
  /** Puts the tables of another batch of the same padded size and as many answers in their place. */
  readonly replace: (flat: FlatBatch) => void;
  /** Pooled features [answers, width] of the residual stream [rows, hidden] at the tap. */
  readonly pool: (stream: Tensor) => Tensor;
  /** Puts there what the next `addGradient` reads. */
  readonly writeLists: (lists: GradientLists | undefined) => void;
  /** Adds the gradient of the drift to that of the stream [rows, hidden], in place. */
  readonly addGradient: (streamGradient: Tensor, stream: Tensor) => void;
}

/** Makes the tables of a batch; the owner disposes `tensors`. */
export function poolOf(tap: FeatureTap, batch: DeviceBatch): DevicePool {
  const { sae, startToken, errors } = tap;
  const sizes = { rows: batch.rows.tokenIds.size, entries: batch.labels.size };
  const made = poolTables(batch.flat, startToken);
  const scoredRows = tensor(filled(made.scoredRows, sizes.entries), [sizes.entries]);
  const entryRanges = tensor(made.entryRanges, [batch.flat.sequences, 2]);
  const rowAnswers = tensor(filled(made.rowAnswers, 2 * sizes.rows), [sizes.rows, 2]);
  const listed = longestList(errors);
  const indices = tensor(new Int32Array(batch.flat.sequences * listed).fill(-1), [
    batch.flat.sequences,
    listed,
  ]);
  const coefficients = zeros(indices.shape);
  const { encoder, bias, threshold } = sae;
  return {
    tap,
    tensors: [scoredRows, entryRanges, rowAnswers, indices, coefficients],
    replace: (flat) => {
      const next = poolTables(flat, startToken);
      write(scoredRows, filled(next.scoredRows, sizes.entries));
      write(entryRanges, next.entryRanges);
      write(rowAnswers, filled(next.rowAnswers, 2 * sizes.rows));
    },
    pool: (stream) =>
      tidy(() => featurePool({ hidden: stream, scoredRows, entryRanges, encoder, bias, threshold }).pooled),
    writeLists: (lists) => {
      write(indices, lists?.indices ?? new Int32Array(indices.size).fill(-1));
      write(coefficients, lists?.coefficients ?? new Float32Array(coefficients.size));
    },
    addGradient: (streamGradient, stream) => {
      const tables = { rowAnswers, indices, coefficients };
      featurePoolGradient({ streamGradient, hidden: stream, ...tables, encoder, bias, threshold });
    },
  };
}

function filled(values: Int32Array, size: number): Int32Array {
  if (values.length === size) return values;
  const all = new Int32Array(size).fill(-1);
  all.set(values);
  return all;
}

/** Pooled features of every answer of a batch under both models. */
export interface PooledBatch {
  /** [answers · width] */
  readonly policy: Float32Array;
  /** One row per answer. */
  readonly reference: readonly FeatureRow[];
}

/** The drift of every answer of a batch by `pairBatch`. */
export function featureErrorsOf(
  { sae: { width }, errors }: FeatureTap,
  flat: FlatBatch,
  { policy, reference }: PooledBatch,
): FeatureError[] {
  const tokens = new Float64Array(flat.sequences);
  for (const sequence of flat.entrySequence) tokens[sequence] = (tokens[sequence] ?? 0) + 1;
  // The authors' code divides by the length to which a batch is padded, less one.
  const divisor = errors.mode === "released" ? { divisor: longestText(flat) - 1 } : {};
  return reference.map((row, answer) =>
    featureError(
      {
        policy: policy.subarray(answer * width, (answer + 1) * width),
        reference: row,
        tokens: tokens[answer] ?? NaN,
        ...divisor,
      },
      errors,
    ),
  );
}

function longestText({ segments }: FlatBatch): number {
  return Math.max(...segments.flatMap(({ prompt, branches }) => branches.map((rows) => prompt + rows)));
}
