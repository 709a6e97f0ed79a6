import { createRandom, permutation } from "./random.ts";
import type { TokenPair } from "./tokenPair.ts";

/** One text as the model reads it: the tokens from `scoredFrom` on are scored, those before are given. */
export interface ScoredSequence {
  readonly tokens: Int32Array;
  /** At least 1: the first token has nothing before it to be predicted from. */
  readonly scoredFrom: number;
}

/**
 * Sequences laid one after another without padding: rows are tokens, entries are scored tokens.
 * Row t predicts the token of row t + 1 of the same sequence.
 */
export interface FlatBatch {
  /** [rows] */
  readonly tokenIds: Int32Array;
  /** [rows], counted from 0 in every sequence. */
  readonly positions: Int32Array;
  /** [rows, 2]: rows that a row looks at, from the start of its sequence to itself (end exclusive). */
  readonly keyRanges: Int32Array;
  /** [rows, 2]: rows that look at a row, from itself to the end of its sequence (end exclusive). */
  readonly queryRanges: Int32Array;
  /** [entries]: the row that predicts each scored token, rising. */
  readonly scoredRows: Int32Array;
  /** [rows, 2]: the entries a row predicts; −1 where there is none. */
  readonly scoredInverse: Int32Array;
  /** [entries]: the scored tokens. */
  readonly labels: Int32Array;
  /** [entries]: the sequence each entry belongs to. */
  readonly entrySequence: Int32Array;
  readonly sequences: number;
}

function checkSequence(sequence: ScoredSequence, index: number): void {
  const { tokens, scoredFrom } = sequence;
  if (!Number.isInteger(scoredFrom) || scoredFrom < 1 || scoredFrom >= tokens.length)
    throw new RangeError(
      `Sequence ${index}: scoredFrom is ${scoredFrom}, expected 1 to ${tokens.length - 1} for ${tokens.length} tokens.`,
    );
}

/** Lays sequences into rows. Throws RangeError for a sequence with no scored token or no token before it. */
export function flatBatch(sequences: readonly ScoredSequence[]): FlatBatch {
  sequences.forEach(checkSequence);
  const rows = sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const entries = sequences.reduce((sum, { tokens, scoredFrom }) => sum + tokens.length - scoredFrom, 0);
  const batch = {
    tokenIds: new Int32Array(rows),
    positions: new Int32Array(rows),
    keyRanges: new Int32Array(2 * rows),
    queryRanges: new Int32Array(2 * rows),
    scoredRows: new Int32Array(entries),
    scoredInverse: new Int32Array(2 * rows).fill(-1),
    labels: new Int32Array(entries),
    entrySequence: new Int32Array(entries),
    sequences: sequences.length,
  };
  let start = 0;
  let entry = 0;
  sequences.forEach(({ tokens, scoredFrom }, sequence) => {
    const end = start + tokens.length;
    batch.tokenIds.set(tokens, start);
    for (let row = start; row < end; row++) {
      batch.positions[row] = row - start;
      batch.keyRanges.set([start, row + 1], 2 * row);
      batch.queryRanges.set([row, end], 2 * row);
    }
    for (let token = scoredFrom; token < tokens.length; token++, entry++) {
      const row = start + token - 1;
      batch.scoredRows[entry] = row;
      batch.scoredInverse[2 * row] = entry;
      batch.labels[entry] = tokens[token] ?? 0;
      batch.entrySequence[entry] = sequence;
    }
    start = end;
  });
  return batch;
}

function joined(prompt: Int32Array, answer: Int32Array): ScoredSequence {
  const tokens = new Int32Array(prompt.length + answer.length); // [prompt + answer]
  tokens.set(prompt);
  tokens.set(answer, prompt.length);
  return { tokens, scoredFrom: prompt.length };
}

/**
 * The chosen sides of all pairs, then the rejected sides of all pairs: sequence s is the chosen side of pair s, or
 * the rejected side of pair s − pairs. Only answer tokens are scored.
 */
export function pairBatch(pairs: readonly TokenPair[]): FlatBatch {
  return flatBatch([
    ...pairs.map(({ prompt, chosen }) => joined(prompt, chosen)),
    ...pairs.map(({ prompt, rejected }) => joined(prompt, rejected)),
  ]);
}

/** In which order pairs are trained on. */
export interface BatchOrderOptions {
  readonly count: number;
  readonly batchPairs: number;
  readonly seed: number;
  /** A new random order every epoch; without it pairs come as they are. */
  readonly shuffle: boolean;
}

/**
 * Indices of the pairs of a step (0-based); batches run on over the end of an epoch, so that all are equally large.
 * A step's batch depends on nothing but the step, so a resumed run meets the same pairs.
 */
export function batchOrder(options: BatchOrderOptions): (step: number) => number[] {
  const { count, batchPairs, seed, shuffle } = options;
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(batchPairs) || batchPairs < 1)
    throw new RangeError(`batchOrder needs pairs and a batch size, not ${count} and ${batchPairs}.`);
  let known: { epoch: number; order: Int32Array } = { epoch: -1, order: new Int32Array(0) };
  const pairAt = (position: number): number => {
    const within = position % count;
    if (!shuffle) return within;
    const epoch = Math.floor(position / count);
    if (known.epoch !== epoch) known = { epoch, order: permutation(count, createRandom(seed, epoch)) };
    return known.order[within] ?? 0;
  };
  return (step) => Array.from({ length: batchPairs }, (_, i) => pairAt(step * batchPairs + i));
}
