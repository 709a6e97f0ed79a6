/** The first batch of a run as the model reads it, taken from the batch itself. */
import { pairBatch, type FlatBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { microBatches, stepPairs } from "./batches.ts";
import type { RunConfig } from "./config.ts";

/** An answer behind its prompt as the model sees it while it trains. */
export interface SeenAnswer {
  /** Text of every token, special tokens by their names. */
  readonly tokens: readonly string[];
  readonly ids: Int32Array;
  /** Whether the loss scores the token. */
  readonly isScored: readonly boolean[];
}

/** A pair of the first batch exactly as it is trained. */
export interface SeenPair {
  /** Index of the pair's row in the list that was tokenised; across the wall its place in the set. */
  readonly row: number;
  /** Tokens of the chosen answer's prompt. */
  readonly promptTokens: number;
  readonly chosen: SeenAnswer;
  /** Empty where there is only an answer to copy. */
  readonly rejected: SeenAnswer;
  readonly isPromptCut: boolean;
  readonly isAnswerCut: boolean;
}

/** Rows that a sequence runs through, and those of its tokens that are scored. */
interface SeenSequence {
  readonly ids: number[];
  readonly isScored: boolean[];
}

/** What every sequence of a batch reads and is scored on, from nothing but the batch; null for one without rows. */
export function sequencesOf(flat: FlatBatch): (SeenSequence | null)[] {
  const { tokenIds, segments, scoredRows, labels, entrySequence } = flat;
  const found: (SeenSequence | null)[] = Array.from({ length: flat.sequences }, () => null);
  /** Entries by the row of the token that they score: the first row of a branch, or the one after the row that predicts. */
  let entry = 0;
  const entriesOf = new Map<number, { readonly row: number; readonly label: number }[]>();
  for (const sequence of entrySequence) {
    const own = entriesOf.get(sequence) ?? [];
    own.push({ row: scoredRows[entry] ?? -1, label: labels[entry] ?? -1 });
    entriesOf.set(sequence, own);
    entry++;
  }
  let start = 0;
  for (const { prompt, branches } of segments) {
    const lastOfPrompt = start + prompt - 1;
    const ends = branches.map((rows, index) => start + prompt + sum(branches.slice(0, index)) + rows);
    const within = [...entriesOf].filter(([, own]) => (own[0]?.row ?? -1) === lastOfPrompt);
    within.forEach(([sequence, own], index) => {
      const end = ends[index] ?? 0;
      const first = end - (branches[index] ?? 0);
      const rows = [...range(start, start + prompt), ...range(first, end)];
      const predictors = new Set(own.map(({ row }) => row));
      found[sequence] = {
        ids: rows.map((row) => tokenIds[row] ?? -1),
        isScored: rows.map((row) => row >= first && predictors.has(row === first ? lastOfPrompt : row - 1)),
      };
    });
    start = ends.at(-1) ?? start + prompt;
  }
  return found;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

/**
 * The pairs of a run's first step in the order in which they are trained, every token with whether it is scored: read
 * back from the very batches that the step takes, so it cannot tell anything else than what is trained.
 */
export function firstBatchAsSeen(
  config: RunConfig,
  pairs: readonly TokenPair[],
  tokenizer: Tokenizer,
): readonly SeenPair[] {
  if (pairs.length === 0) return [];
  return microBatches(config, stepPairs(config, pairs)(1)).flatMap((some) => {
    const sequences = sequencesOf(pairBatch(some, config));
    return some.map((pair, index): SeenPair => ({
      row: pair.row,
      promptTokens: pair.prompt.length,
      chosen: asSeen(sequences[index] ?? null, tokenizer),
      rejected: asSeen(sequences[some.length + index] ?? null, tokenizer),
      isPromptCut: pair.isPromptCut === true,
      isAnswerCut: pair.isAnswerCut === true,
    }));
  });
}

function asSeen(sequence: SeenSequence | null, tokenizer: Tokenizer): SeenAnswer {
  const { ids, isScored } = sequence ?? { ids: [], isScored: [] };
  const texts = tokenizer.decodeTokens(ids);
  return {
    tokens: ids.map((id, index) => tokenizer.specialTokens.get(id) ?? texts[index] ?? ""),
    ids: Int32Array.from(ids),
    isScored,
  };
}
