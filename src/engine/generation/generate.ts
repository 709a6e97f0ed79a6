/** Batched decoding with a key-value cache: prompts of different lengths, one sampled continuation each. */
import { createRandom, type Random } from "../data/random.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { distinctWindows } from "../models/config.ts";
import { boundLogits, forwardLayers, headName, scoredHidden, type Model } from "../models/decoder.ts";
import type { KeyValueCache } from "../models/rows.ts";
import { parameter, type Weights } from "../models/weights.ts";
import { dispose, read, tensor, tidy, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { sampleToken } from "./sampling.ts";

/** How answers are drawn. */
export interface GenerationOptions {
  readonly maxNewTokens: number;
  /** 0 takes the most likely token. */
  readonly temperature: number;
  /** Each prompt draws from its own stream, so batch-mates change nothing. */
  readonly seed: number;
  readonly stopTokenIds: readonly number[];
}

/** Prompts that grow together: each holds room for all its keys and values, so many at once would not fit. */
export const promptsAtOnce = 32;

/** A sequence while it grows. */
interface Growing {
  /** First row of this sequence in the cache of those that grow together. */
  readonly slot: number;
  readonly tokens: number[];
  readonly random: Random;
  /** Tokens not yet run through the model. */
  pending: number[];
  isFinished: boolean;
  readonly promptLength: number;
  readonly limit: number;
}

/**
 * Continues every prompt; answers hold neither the prompt nor the stop token. A prompt that leaves no room under
 * the model's longest position yields an empty answer. Throws `RangeError` for a prompt without a token.
 */
export async function generate(
  model: Model,
  weights: Weights,
  prompts: readonly Int32Array[],
  options: GenerationOptions,
): Promise<number[][]> {
  const sequences = layOut(model, prompts, options);
  for (let start = 0; start < sequences.length; start += promptsAtOnce) {
    await decodeTogether({ model, weights }, sequences.slice(start, start + promptsAtOnce), options);
  }
  return sequences.map((sequence) => sequence.tokens.slice(sequence.promptLength));
}

/** Lets sequences grow to their ends over one cache. */
async function decodeTogether(
  { model, weights }: { readonly model: Model; readonly weights: Weights },
  sequences: readonly Growing[],
  options: GenerationOptions,
): Promise<void> {
  let live = sequences.filter((sequence) => sequence.tokens.length < sequence.limit);
  if (live.length === 0) return;
  const capacity = sequences.reduce((sum, sequence) => sum + sequence.limit, 0);
  const width = model.config.keyValueHeads * model.config.headDim;
  const cache = Array.from({ length: model.config.layers }, () => ({
    keys: zeros([capacity, width]),
    values: zeros([capacity, width]),
  }));
  try {
    while (live.length > 0) {
      const logits = await nextLogits(model, weights, live, cache);
      live.forEach((sequence, index) => {
        extend(sequence, logits[index] ?? [], options);
      });
      live = live.filter((sequence) => !sequence.isFinished);
    }
  } finally {
    dispose(cache.flatMap(({ keys, values }) => [keys, values]));
  }
}

function layOut(model: Model, prompts: readonly Int32Array[], options: GenerationOptions): Growing[] {
  let slot = 0;
  return prompts.map((prompt, index) => {
    if (index % promptsAtOnce === 0) slot = 0;
    if (prompt.length === 0) throw new RangeError(`Prompt ${index} has no tokens to go on from.`);
    const limit = Math.min(prompt.length + options.maxNewTokens, model.config.maxPositions);
    const sequence: Growing = {
      slot,
      tokens: [...prompt],
      pending: [...prompt],
      random: createRandom(options.seed, index),
      isFinished: false,
      promptLength: prompt.length,
      limit: Math.max(limit, prompt.length),
    };
    slot += sequence.limit;
    return sequence;
  });
}

function extend(sequence: Growing, logits: ArrayLike<number>, options: GenerationOptions): void {
  const token = sampleToken(logits, options.temperature, sequence.random);
  if (options.stopTokenIds.includes(token)) {
    sequence.isFinished = true;
    return;
  }
  sequence.tokens.push(token);
  sequence.pending = [token];
  sequence.isFinished = sequence.tokens.length >= sequence.limit;
}

/** The pending tokens of all live sequences, one row each, and the last row of every sequence. */
function pendingRows(live: readonly Growing[]) {
  const tokenIds: number[] = [];
  const positions: number[] = [];
  const keyRanges: number[] = [];
  const slots: number[] = [];
  const lastRows: number[] = [];
  for (const sequence of live) {
    const start = sequence.tokens.length - sequence.pending.length;
    sequence.pending.forEach((token, offset) => {
      const position = start + offset;
      tokenIds.push(token);
      positions.push(position);
      slots.push(sequence.slot + position);
      keyRanges.push(sequence.slot, sequence.slot + position + 1);
    });
    lastRows.push(tokenIds.length - 1);
  }
  const inverse = new Int32Array(2 * tokenIds.length).fill(-1);
  lastRows.forEach((row, entry) => {
    inverse[2 * row] = entry;
  });
  return { tokenIds, positions, keyRanges, slots, lastRows, inverse };
}

/** Ranges [first, end) of rows that see all that came before them, cut to the last `window` of it. */
function lastKeys(keyRanges: readonly number[], window: number | null): readonly number[] {
  if (window === null) return keyRanges;
  return keyRanges.map((bound, index) =>
    index % 2 === 0 ? Math.max(bound, (keyRanges[index + 1] ?? bound) - window) : bound,
  );
}

/** Runs the pending tokens of all live sequences and reads the logits after each sequence's last token. */
async function nextLogits(
  model: Model,
  weights: Weights,
  live: readonly Growing[],
  cache: KeyValueCache,
): Promise<ArrayLike<number>[]> {
  const { tokenIds, positions, keyRanges, slots, lastRows, inverse } = pendingRows(live);
  const count = tokenIds.length;
  const held: Tensor[] = [];
  const hold = (made: Tensor) => {
    held.push(made);
    return made;
  };
  const integers = (values: ArrayLike<number>, shape: readonly number[]) =>
    hold(tensor(Int32Array.from(values), shape));
  try {
    const tables = distinctWindows(model.config).map(
      (window) => [window, integers(lastKeys(keyRanges, window), [count, 2])] as const,
    );
    const x = hold(
      await forwardLayers(model, weights, {
        tokenIds: integers(tokenIds, [count]),
        positions: integers(positions, [count]),
        attention: {
          kind: "cached",
          cache,
          slots: integers(slots, [count]),
          keyRanges: new Map(tables),
        },
      }),
    );
    const scored = { rows: integers(lastRows, [live.length]), inverse: integers(inverse, [count, 2]) };
    const logits = tidy(() => {
      const hidden = scoredHidden(model, weights, x, scored); // [live, hidden]
      return matmul(hidden, parameter(weights, headName(model.config)), { form: "abt" }); // [live, vocabulary]
    });
    const values = await read(hold(logits));
    boundLogits(model.config, values);
    const width = model.config.vocabularySize;
    return live.map((_, index) => values.subarray(index * width, (index + 1) * width));
  } finally {
    dispose(held);
  }
}
