/** The residual stream of texts, which an autoencoder is trained on. */
import { flatBatch } from "../../data/batch.ts";
import { promptOf, type TokenPair } from "../../data/tokenPair.ts";
import { distinctWindows } from "../../models/config.ts";
import type { Model } from "../../models/decoder.ts";
import { streamBehind } from "../../models/streamBehind.ts";
import { referenceWeights, type Weights } from "../../models/weights.ts";
import { read, trimMemory } from "../../tensor/run.ts";
import { paddedSize, uploadBatch } from "../../training/deviceBatch.ts";

/** Rows of a stream on the host. */
export interface StreamRows {
  /** [rows · width] */
  readonly values: Float32Array;
  /** Numbers of a row. */
  readonly width: number;
}

/** Whose stream is read, and where. */
export interface CollectOptions {
  readonly model: Model;
  /** The model's own without adapters when left out. */
  readonly weights?: Weights;
  /** Block whose output is read, from 0 on. */
  readonly layer: number;
  /** Token ids of each text, no longer than the model's context; those of fewer than two tokens are left out. */
  readonly texts: readonly Int32Array[];
  /** The start of a text, whose rows are left out; null when there is no such token. */
  readonly startToken: number | null;
  /** Rows of one forward pass, unless one text alone is longer. */
  readonly batchRows?: number;
}

const DEFAULT_BATCH_ROWS = 1024;

/** Number of rows that a stream of [rows · width] values has. */
export function countRows({ values, width }: StreamRows): number {
  return values.length / width;
}

/** The texts of pairs: every prompt with its chosen answer, then with its rejected one where there is one. */
export function pairTexts(pairs: readonly TokenPair[]): Int32Array[] {
  return pairs.flatMap((pair) =>
    (["chosen", "rejected"] as const)
      .filter((side) => pair[side].length > 0)
      .map((side) => Int32Array.of(...promptOf(pair, side), ...pair[side])),
  );
}

/** Texts batch by batch, in order, with no more rows each than asked for. */
function batchesOf(texts: readonly Int32Array[], batchRows: number): Int32Array[][] {
  const batches: Int32Array[][] = [];
  let rows = 0;
  for (const text of texts) {
    const last = batches.at(-1);
    if (last === undefined || rows + text.length > batchRows) {
      batches.push([text]);
      rows = text.length;
    } else {
      last.push(text);
      rows += text.length;
    }
  }
  return batches;
}

/**
 * Runs texts through a model up to a block and gathers the stream behind it, one row per token in the order of the texts.
 * Yields how many texts are done; returns all rows. Nothing is left on the device, whether it ends or is ended.
 */
export async function* collectActivations(
  options: CollectOptions,
): AsyncGenerator<{ readonly done: number; readonly total: number }, StreamRows> {
  const { model, startToken, batchRows = DEFAULT_BATCH_ROWS } = options;
  const texts = options.texts.filter(({ length }) => length > 1);
  const width = model.config.hiddenSize;
  const isKept = (token: number) => token !== startToken;
  const count = texts.reduce((sum, text) => sum + text.filter(isKept).length, 0);
  const values = new Float32Array(count * width);
  let [row, done] = [0, 0];
  for (const batch of batchesOf(texts, batchRows)) {
    yield { done, total: texts.length };
    const stream = await streamOf(options, batch);
    const tokens = batch.flatMap((text) => [...text]);
    tokens.forEach((token, place) => {
      if (!isKept(token)) return;
      values.set(stream.subarray(place * width, (place + 1) * width), row * width);
      row++;
    });
    done += batch.length;
  }
  // Batches differ in length: the buffers of each would wait for one of its own size.
  trimMemory();
  yield { done, total: texts.length };
  return { values, width };
}

/** The stream behind a block for some texts, one row per token and perhaps padding after them. [rows, hidden] */
async function streamOf(
  { model, layer, weights = referenceWeights(model) }: CollectOptions,
  texts: readonly Int32Array[],
): Promise<Float32Array> {
  const flat = flatBatch(texts.map((tokens) => ({ tokens, scoredFrom: 1 })));
  const batch = uploadBatch(flat, distinctWindows(model.config), paddedSize(flat));
  try {
    const stream = await streamBehind({ model, weights, rows: batch.rows }, layer);
    try {
      return Float32Array.from(await read(stream));
    } finally {
      stream.dispose();
    }
  } finally {
    batch.dispose();
  }
}
