import { createRandom, permutation } from "./random.ts";
import { promptOf, type TokenPair } from "./tokenPair.ts";

/** One text as the model reads it: the tokens from `scoredFrom` on are scored, those before are given. */
export interface ScoredSequence {
  readonly tokens: Int32Array;
  /** At least 1: the first token has nothing before it to be predicted from. */
  readonly scoredFrom: number;
}

/** Rows of a batch that belong together: a prompt, then answers to it that do not see one another. */
export interface BatchSegment {
  /** Rows of the prompt. */
  readonly prompt: number;
  /** Rows of each answer; their positions all go on from the prompt's length. */
  readonly branches: readonly number[];
}

/**
 * Texts laid one after another without padding: rows are tokens, entries are scored tokens. The last row of a prompt
 * predicts the first token of every answer to it, every other row the token after it.
 */
export interface FlatBatch {
  /** [rows] */
  readonly tokenIds: Int32Array<ArrayBuffer>;
  /** Which rows see which follows from these, in row order. */
  readonly segments: readonly BatchSegment[];
  /** [entries]: the row that predicts each scored token. */
  readonly scoredRows: Int32Array<ArrayBuffer>;
  /** [rows, 2]: the entries a row predicts; −1 where there is none. */
  readonly scoredInverse: Int32Array<ArrayBuffer>;
  /** [entries]: the scored tokens, sequence by sequence. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** [entries]: the sequence each entry belongs to. */
  readonly entrySequence: Int32Array<ArrayBuffer>;
  readonly sequences: number;
}

/** A prompt with its answers, each with the number of the sequence that it ends. */
interface PromptWithAnswers {
  readonly prompt: Int32Array;
  readonly answers: readonly { readonly tokens: Int32Array; readonly sequence: number }[];
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
  return layOut(
    sequences.map(({ tokens, scoredFrom }, sequence) => ({
      prompt: tokens.subarray(0, scoredFrom),
      answers: [{ tokens: tokens.subarray(scoredFrom), sequence }],
    })),
    sequences.length,
  );
}

/**
 * The chosen sides of all pairs, then the rejected sides of all pairs: sequence s is the chosen side of pair s, or
 * the rejected side of pair s − pairs. Only answer tokens are scored. With a shared prompt both answers of a pair
 * follow one copy of it, which computes the same with fewer rows. An answer of no tokens is a sequence without rows.
 */
export function pairBatch(
  pairs: readonly TokenPair[],
  { sharesPrompts = true }: { readonly sharesPrompts?: boolean } = {},
): FlatBatch {
  for (const [index, pair] of pairs.entries()) {
    if (pair.prompt.length === 0 || pair.rejectedPrompt?.length === 0)
      throw new RangeError(`Pair ${index} has a prompt without tokens.`);
  }
  const text = (index: number, ...sides: readonly ("chosen" | "rejected")[]): PromptWithAnswers[] => {
    const pair = pairs[index];
    const [first] = sides;
    if (pair === undefined || first === undefined) return [];
    const answers = sides.map((side) => ({
      tokens: pair[side],
      sequence: side === "chosen" ? index : pairs.length + index,
    }));
    const present = answers.filter(({ tokens }) => tokens.length > 0);
    return present.length === 0 ? [] : [{ prompt: promptOf(pair, first), answers: present }];
  };
  const together = (pair: TokenPair, index: number) =>
    pair.rejectedPrompt === undefined
      ? text(index, "chosen", "rejected")
      : [...text(index, "chosen"), ...text(index, "rejected")];
  const texts = sharesPrompts
    ? pairs.flatMap(together)
    : [
        ...pairs.flatMap((_, index) => text(index, "chosen")),
        ...pairs.flatMap((_, index) => text(index, "rejected")),
      ];
  return layOut(texts, 2 * pairs.length);
}

function layOut(texts: readonly PromptWithAnswers[], sequences: number): FlatBatch {
  const entryCounts = Array.from({ length: sequences }, () => 0);
  for (const { tokens, sequence } of texts.flatMap((text) => text.answers))
    entryCounts[sequence] = tokens.length;
  let entries = 0;
  const firstEntries = entryCounts.map((count) => {
    entries += count;
    return entries - count;
  });
  const rows = entries + texts.reduce((sum, { prompt }) => sum + prompt.length, 0);
  const batch = {
    tokenIds: new Int32Array(rows),
    segments: texts.map((text) => ({
      prompt: text.prompt.length,
      branches: text.answers.map(({ tokens }) => tokens.length),
    })),
    scoredRows: new Int32Array(entries),
    scoredInverse: new Int32Array(2 * rows).fill(-1),
    labels: new Int32Array(entries),
    entrySequence: new Int32Array(entries),
    sequences,
  };
  let start = 0;
  for (const text of texts) {
    batch.tokenIds.set(text.prompt, start);
    const lastOfPrompt = start + text.prompt.length - 1;
    start += text.prompt.length;
    for (const { tokens, sequence } of text.answers) {
      batch.tokenIds.set(tokens, start);
      for (const [index, label] of tokens.entries()) {
        const entry = (firstEntries[sequence] ?? 0) + index;
        const row = index === 0 ? lastOfPrompt : start + index - 1;
        batch.scoredRows[entry] = row;
        batch.scoredInverse[batch.scoredInverse[2 * row] === -1 ? 2 * row : 2 * row + 1] = entry;
        batch.labels[entry] = label;
        batch.entrySequence[entry] = sequence;
      }
      start += tokens.length;
    }
  }
  return batch;
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
