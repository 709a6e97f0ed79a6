/** Where a pass pools features of sparse autoencoders, and the way of their drift back into the stream. */
import type { FlatBatch } from "../data/batch.ts";
import { featurePool } from "../kernels/featurePool/featurePool.ts";
import { featurePoolGradient } from "../kernels/featurePool/featurePoolGradient.ts";
import {
  featureBlocks,
  featureError,
  longestList,
  type FeatureError,
  type FeatureErrorOptions,
  type GradientLists,
} from "../sae/featureErrors.ts";
import { poolTables } from "../sae/poolTables.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import type { FeatureBlock, FeatureRow } from "../sae/topFeatures.ts";
import { read, tensor, write, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "./deviceBatch.ts";

/** Autoencoders, what of their features counts as drift, and the token whose rows they do not know. */
export interface FeatureTap {
  /** At least one, each of another layer, in the order of their layers: features are numbered through all of them. */
  readonly saes: readonly SparseAutoencoder[];
  readonly errors: FeatureErrorOptions;
  /** The start of a text, whose rows are not pooled; null when there is no such token. */
  readonly startToken: number | null;
}

/** Where the features of each autoencoder of a tap lie among all. */
export function blocksOf({ saes }: Pick<FeatureTap, "saes">): FeatureBlock[] {
  return featureBlocks(saes.map(({ width }) => width));
}

/** Features of all autoencoders of a tap. */
export function totalWidth({ saes }: Pick<FeatureTap, "saes">): number {
  return saes.reduce((sum, { width }) => sum + width, 0);
}

/** What one autoencoder pooled, on the device. */
export interface PooledTensors {
  /** Mean activations [answers, width]. */
  readonly pooled: Tensor;
  /** Rows add up to the mean number of active features [answers, tiles]. */
  readonly activity: Tensor;
}

/** Pooling behind one layer. */
interface LayerPool {
  /** Pools the residual stream [rows, hidden]; the caller disposes both tensors. */
  readonly pool: (stream: Tensor) => PooledTensors;
  /** Adds the gradient of the drift to that of the stream [rows, hidden], in place. */
  readonly addGradient: (streamGradient: Tensor, stream: Tensor) => void;
}

/** Tables of a batch on the device for pooling at a tap. */
export interface DevicePool {
  readonly tensors: readonly Tensor[];
  /** A pass without a way back keeps the streams that were pooled. */
  readonly keepsStreams: boolean;
  /** Puts the tables of another batch of the same padded size and as many answers in their place. */
  readonly replace: (flat: FlatBatch) => void;
  /** By the layers whose output an autoencoder reads. */
  readonly layers: ReadonlyMap<number, LayerPool>;
  /** Puts there what the next `addGradient` of each layer reads; without lists nothing is added. */
  readonly writeLists: (lists?: readonly GradientLists[]) => void;
}

/** Makes the tables of a batch; the owner disposes `tensors`. Without a way back there are no lists of gradients. */
export function poolOf(
  { saes, startToken, errors }: FeatureTap,
  batch: DeviceBatch,
  { hasWayBack, keepsStreams = false }: { readonly hasWayBack: boolean; readonly keepsStreams?: boolean },
): DevicePool {
  const sizes = { rows: batch.rows.tokenIds.size, entries: batch.labels.size };
  const answers = batch.flat.sequences;
  const made = poolTables(batch.flat, startToken);
  const scoredRows = tensor(filled(made.scoredRows, sizes.entries), [sizes.entries]);
  const entryRanges = tensor(made.entryRanges, [answers, 2]);
  const rowAnswers = hasWayBack ? tensor(filled(made.rowAnswers, 2 * sizes.rows), [sizes.rows, 2]) : null;
  const lists = hasWayBack ? saes.map(() => emptyLists(answers, longestList(errors))) : [];
  return {
    tensors: [
      scoredRows,
      entryRanges,
      ...(rowAnswers === null ? [] : [rowAnswers]),
      ...lists.flatMap(({ indices, coefficients }) => [indices, coefficients]),
    ],
    keepsStreams,
    replace: (flat) => {
      const next = poolTables(flat, startToken);
      write(scoredRows, filled(next.scoredRows, sizes.entries));
      write(entryRanges, next.entryRanges);
      if (rowAnswers !== null) write(rowAnswers, filled(next.rowAnswers, 2 * sizes.rows));
    },
    layers: new Map(
      saes.map(({ layer, encoder, bias, threshold }, place): [number, LayerPool] => [
        layer,
        {
          pool: (hidden) => featurePool({ hidden, scoredRows, entryRanges, encoder, bias, threshold }),
          addGradient: (streamGradient, hidden) => {
            const own = lists[place];
            if (own === undefined || rowAnswers === null) throw new Error("The features have no way back.");
            featurePoolGradient({ streamGradient, hidden, rowAnswers, ...own, encoder, bias, threshold });
          },
        },
      ]),
    ),
    writeLists: (next) => {
      lists.forEach(({ indices, coefficients }, place) => {
        const own = next?.[place];
        write(indices, own?.indices ?? new Int32Array(indices.size).fill(-1));
        write(coefficients, own?.coefficients ?? new Float32Array(coefficients.size));
      });
    },
  };
}

function emptyLists(answers: number, listed: number) {
  const indices = tensor(new Int32Array(answers * listed).fill(-1), [answers, listed]);
  return { indices, coefficients: zeros(indices.shape) };
}

function filled(values: Int32Array, size: number): Int32Array {
  if (values.length === size) return values;
  const all = new Int32Array(size).fill(-1);
  all.set(values);
  return all;
}

/** Pooled features of every answer of a batch under one model, on the host. */
export interface PooledFeatures {
  /** Mean activations, autoencoder after autoencoder within each answer [answers · total width]. */
  readonly means: Float32Array;
  /** Mean number of active features of a scored token, of all autoencoders together [answers]. */
  readonly active: Float64Array;
}

/** Reads what the autoencoders of a tap pooled, in their order; null where there is none. */
export async function readPooled(made: readonly PooledTensors[]): Promise<PooledFeatures | null> {
  const answers = made[0]?.pooled.shape[0] ?? 0;
  if (answers === 0) return null;
  const parts = await Promise.all(
    made.map(async ({ pooled, activity }) => {
      const [means, counts] = await Promise.all([read(pooled), read(activity)]);
      return { means, counts };
    }),
  );
  const partOf = (values: ArrayLike<number> & { length: number }, answer: number) => {
    const width = values.length / answers;
    return [answer * width, (answer + 1) * width] as const;
  };
  const means = new Float32Array(parts.reduce((sum, part) => sum + part.means.length, 0));
  const active = new Float64Array(answers);
  let offset = 0;
  for (let answer = 0; answer < answers; answer++) {
    for (const part of parts) {
      const own = part.means.subarray(...partOf(part.means, answer));
      means.set(own, offset);
      offset += own.length;
      for (const count of part.counts.subarray(...partOf(part.counts, answer))) active[answer]! += count;
    }
  }
  return { means, active };
}

/** Pooled features of every answer of a batch under both models. */
export interface PooledBatch {
  /** [answers · total width] */
  readonly policy: Float32Array;
  /** One row per answer. */
  readonly reference: readonly FeatureRow[];
}

/** The drift of every answer of a batch by `pairBatch`. */
export function featureErrorsOf(
  tap: FeatureTap,
  flat: FlatBatch,
  { policy, reference }: PooledBatch,
): FeatureError[] {
  const [width, blocks] = [totalWidth(tap), blocksOf(tap)];
  const tokens = new Float64Array(flat.sequences);
  for (const sequence of flat.entrySequence) tokens[sequence] = (tokens[sequence] ?? 0) + 1;
  // The authors' code divides by the length to which a batch is padded, less one.
  const divisor = tap.errors.mode === "released" ? { divisor: longestText(flat) - 1 } : {};
  return reference.map((row, answer) =>
    featureError(
      {
        policy: policy.subarray(answer * width, (answer + 1) * width),
        reference: row,
        tokens: tokens[answer] ?? NaN,
        ...divisor,
      },
      tap.errors,
      blocks,
    ),
  );
}

function longestText({ segments }: FlatBatch): number {
  return Math.max(...segments.flatMap(({ prompt, branches }) => branches.map((rows) => prompt + rows)));
}
