/** A model's stream behind the autoencoder's block, and what the autoencoder makes of it, a bounded part at a time. */
import type { FlatBatch } from "../data/batch.ts";
import { causalRanges } from "../kernels/attention/causalRanges.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { streamBehind } from "../models/streamBehind.ts";
import type { Rows } from "../models/rows.ts";
import type { Weights } from "../models/weights.ts";
import { reconstruct } from "../sae/reconstruct.ts";
import { encodeFeatures, type SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { dispose, read, tensor, trimMemory, view } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** What texts are read with. */
export interface Reader {
  readonly model: Model;
  /** Of the untouched model or of a tuned one. */
  readonly weights: Weights;
  readonly sae: SparseAutoencoder;
  /** The start of a text, whose rows the autoencoder does not know; null when there is no such token. */
  readonly startToken: number | null;
}

/** Some rows of a batch on the host, one after another. */
export interface EncodedPart {
  /** Row of the batch that the first of these is. */
  readonly first: number;
  readonly rows: number;
  /** [rows · width] */
  readonly activations: Float32Array;
  /** The stream and what the decoder makes of the activations [rows · inputSize]; null without a decoder. */
  readonly streams: { readonly hidden: Float32Array; readonly restored: Float32Array } | null;
}

/** Activations that are read from the device at once: 16 MiB. */
const LARGEST_READ = 2 ** 22;
const LARGEST_ROWS = 512;

/**
 * Runs the layers up to the autoencoder's, none above it, and hands over the activations of all rows of the batch part
 * by part. Yields to other tasks between layers; frees all that it took, also when it fails.
 */
export async function encodeRows(
  reader: Reader,
  flat: Pick<FlatBatch, "tokenIds" | "segments">,
  take: (part: EncodedPart) => void,
): Promise<void> {
  const { sae } = reader;
  const stream = await streamOf(reader, flat);
  try {
    const rows = flat.tokenIds.length;
    const atOnce = Math.min(LARGEST_ROWS, Math.max(1, Math.floor(LARGEST_READ / sae.width)));
    for (let first = 0; first < rows; first += atOnce) {
      const count = Math.min(atOnce, rows - first);
      const hidden = view(stream, first * sae.inputSize, [count, sae.inputSize]);
      try {
        take({ first, rows: count, ...(await encodePart(sae, hidden)) });
      } finally {
        hidden.dispose();
      }
    }
  } finally {
    stream.dispose();
    // Batches differ in length: the buffers of each would wait for one of its own size.
    trimMemory();
  }
}

/** Residual stream [rows, hidden] behind the autoencoder's block. */
async function streamOf(
  { model, weights, sae }: Reader,
  flat: Pick<FlatBatch, "tokenIds" | "segments">,
): Promise<Tensor> {
  const { rows, held } = uploadRows(model, flat);
  try {
    return await streamBehind({ model, weights, rows }, sae.layer);
  } finally {
    dispose(held);
  }
}

/** The tables that the layers read. */
function uploadRows({ config }: Model, { tokenIds, segments }: Pick<FlatBatch, "tokenIds" | "segments">) {
  const held: Tensor[] = [];
  const upload = (values: Int32Array, shape: readonly number[]) => {
    const made = tensor(values, shape);
    held.push(made);
    return made;
  };
  const count = tokenIds.length;
  const tables = distinctWindows(config).map((window) => {
    const ranges = causalRanges(segments, window ?? undefined);
    return [
      window,
      {
        keyRanges: upload(ranges.keyRanges, [count, 2 * ranges.keyRangeCount]),
        queryRanges: upload(ranges.queryRanges, [count, 2 * ranges.queryRangeCount]),
      },
    ] as const;
  });
  const rows: Rows = {
    tokenIds: upload(tokenIds, [count]),
    positions: upload(causalRanges(segments).positions, [count]),
    attention: { kind: "causal", tables: new Map(tables) },
  };
  return { rows, held };
}

async function encodePart(
  sae: SparseAutoencoder,
  hidden: Tensor,
): Promise<Pick<EncodedPart, "activations" | "streams">> {
  if (sae.decoder === null) {
    const activations = encodeFeatures(sae, hidden);
    try {
      return { activations: Float32Array.from(await read(activations)), streams: null };
    } finally {
      activations.dispose();
    }
  }
  const { activations, restored } = reconstruct(sae, hidden);
  try {
    const [codes, rows, made] = await Promise.all([activations, hidden, restored].map(read));
    return {
      activations: codes as Float32Array,
      streams: { hidden: rows as Float32Array, restored: made as Float32Array },
    };
  } finally {
    dispose([activations, restored]);
  }
}
