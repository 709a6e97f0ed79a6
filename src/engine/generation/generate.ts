/** Batched decoding with a key-value cache: prompts of different lengths, one sampled continuation each. */
import type { Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import { dispose, zeros } from "../tensor/run.ts";
import { decode, type Decoder } from "./decode.ts";
import { checkSteering, type FeatureSteering } from "./steering.ts";

/** How answers are drawn. */
export interface GenerationOptions {
  readonly maxNewTokens: number;
  /** 0 takes the most likely token. */
  readonly temperature: number;
  /** Each prompt draws from its own stream, so batch-mates change nothing. */
  readonly seed: number;
  /**
   * The stream of random numbers of each prompt, below 2^31: its place among the prompts when left out. Prompts that keep
   * their streams get the same answers in any order and in any part of the list.
   */
  readonly streams?: readonly number[];
  readonly stopTokenIds: readonly number[];
  /** An answer ends with the stop token that ended it, which counts as one of the new tokens. */
  readonly keepsStopToken?: boolean;
  /** Only that many of the likeliest tokens may be drawn; 0 for all. */
  readonly topK?: number;
  /** Only the likeliest tokens that together have this probability may be drawn; 1 for all. */
  readonly topP?: number;
  /** Divides positive logits of tokens of the prompt and the answer, and multiplies negative ones; 1 for none. */
  readonly repetitionPenalty?: number;
  /** Tokens between two looks at the answers, at which those that are finished make room; changes no answer. */
  readonly readEvery?: number;
  /** A feature that is steered at every token of prompt and answer; none when left out. */
  readonly steering?: FeatureSteering;
}

/** Prompts that grow together: each holds room for all its keys and values, so many at once would not fit. */
export const promptsAtOnce = 32;

/** Streams reach the device as integers of 32 bits, of which one is for the sign. */
const STREAM_LIMIT = 2 ** 31;

/** A look waits for the device, and a finished answer grows on until then. */
const READ_EVERY = 8;

/** A sequence while it grows. */
interface Growing {
  /** First row of this sequence in the cache of those that grow together. */
  readonly slot: number;
  readonly stream: number;
  readonly tokens: number[];
  isStopped: boolean;
  readonly promptLength: number;
  readonly limit: number;
}

/**
 * Continues every prompt; answers do not hold the prompt, and the stop token only where it is asked for. A prompt that
 * leaves no room under the model's longest position yields an empty answer. Throws `RangeError` for a prompt without a
 * token, for streams that do not fit the prompts, and for steering that cannot be done.
 */
export async function generate(
  model: Model,
  weights: Weights,
  prompts: readonly Int32Array[],
  options: GenerationOptions,
): Promise<number[][]> {
  if (options.steering !== undefined) checkSteering(options.steering);
  checkStreams(prompts.length, options.streams);
  const sequences = layOut(model, prompts, options);
  for (let start = 0; start < sequences.length; start += promptsAtOnce) {
    await decodeTogether({ model, weights }, sequences.slice(start, start + promptsAtOnce), options);
  }
  return sequences.map((sequence) => sequence.tokens.slice(sequence.promptLength));
}

function checkStreams(prompts: number, streams: readonly number[] | undefined): void {
  if (streams === undefined) return;
  if (streams.length !== prompts) {
    throw new RangeError(
      `There are ${streams.length} streams for ${prompts} prompts; every prompt needs one.`,
    );
  }
  for (const stream of streams) {
    if (Number.isInteger(stream) && stream >= 0 && stream < STREAM_LIMIT) continue;
    throw new RangeError(`Stream ${stream} is not a whole number from 0 to ${STREAM_LIMIT - 1}.`);
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
      stream: options.streams?.[index] ?? index,
      tokens: [...prompt],
      isStopped: false,
      promptLength: prompt.length,
      limit: Math.max(limit, prompt.length),
    };
    slot += sequence.limit;
    return sequence;
  });
}

/** Tokens that may still be added. */
function room({ tokens, limit, isStopped }: Growing): number {
  return isStopped ? 0 : limit - tokens.length;
}

/** Lets sequences grow to their ends over one cache. */
async function decodeTogether(
  { model, weights }: Pick<Decoder, "model" | "weights">,
  sequences: readonly Growing[],
  options: GenerationOptions,
): Promise<void> {
  let live = sequences.filter((sequence) => room(sequence) > 0);
  if (live.length === 0) return;
  const capacity = sequences.reduce((sum, sequence) => sum + sequence.limit, 0);
  const width = model.config.keyValueHeads * model.config.headDim;
  const cache = Array.from({ length: model.config.layers }, () => ({
    keys: zeros([capacity, width]),
    values: zeros([capacity, width]),
  }));
  const { readEvery = READ_EVERY, temperature, seed, topK = 0, topP = 1, repetitionPenalty = 1 } = options;
  const steering = options.steering ?? null;
  const softCap = model.config.logitSoftCap ?? 0;
  const sampling = { temperature, topK, topP, repetitionPenalty, softCap, seed };
  try {
    for (let grown = 0; live.length > 0;) {
      const steps = Math.max(1, Math.min(readEvery, ...live.map(room)));
      const pending = live.map((sequence) => ({
        ...sequence,
        // All have as many new tokens; their prompts are pending at first, later the last token only.
        from: grown === 0 ? 0 : sequence.tokens.length - 1,
      }));
      const chosen = await decode({ model, weights, cache, sampling, steering }, pending, { grown, steps });
      live.forEach((sequence, index) => {
        extend(sequence, chosen[index] ?? [], options);
      });
      grown += steps;
      live = live.filter((sequence) => room(sequence) > 0);
    }
  } finally {
    dispose(cache.flatMap(({ keys, values }) => [keys, values]));
  }
}

/** Adds tokens up to the first one that ends the text. */
function extend(
  sequence: Growing,
  chosen: readonly number[],
  { stopTokenIds, keepsStopToken = false }: GenerationOptions,
): void {
  const end = chosen.findIndex((token) => stopTokenIds.includes(token));
  sequence.isStopped = end >= 0;
  sequence.tokens.push(...(end < 0 ? chosen : chosen.slice(0, keepsStopToken ? end + 1 : end)));
}
