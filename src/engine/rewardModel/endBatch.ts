/** Batches of which only the last row of every answer is read: that is where a reward is. */
import type { FlatBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";

/** Answers to one prompt; an answer of no tokens ends with its prompt. */
export interface AnsweredPrompt {
  readonly prompt: Int32Array;
  readonly answers: readonly Int32Array[];
}

/** A table of rows allows no more entries of one row. */
const MOST_ANSWERS = 2;

/**
 * Lays prompts and their answers, which do not see one another, into rows. Entries are the answers in order, each with the row
 * of its last token; no token is predicted, so every label is −1. Throws `RangeError` for a text without tokens and for more
 * than two answers to a prompt.
 */
export function endBatch(texts: readonly AnsweredPrompt[]): FlatBatch {
  const ends: number[] = [];
  const tokens: Int32Array[] = [];
  let rows = 0;
  for (const [index, { prompt, answers }] of texts.entries()) {
    if (answers.length > MOST_ANSWERS)
      throw new RangeError(`Prompt ${index} has ${answers.length} answers, at most ${MOST_ANSWERS} fit.`);
    const lastOfPrompt = rows + prompt.length - 1;
    tokens.push(prompt, ...answers);
    rows += prompt.length;
    for (const answer of answers) {
      if (prompt.length + answer.length === 0) throw new RangeError(`Text ${index} has no tokens.`);
      rows += answer.length;
      ends.push(answer.length === 0 ? lastOfPrompt : rows - 1);
    }
  }
  const tokenIds = new Int32Array(rows);
  let start = 0;
  for (const each of tokens) {
    tokenIds.set(each, start);
    start += each.length;
  }
  const scoredInverse = new Int32Array(2 * rows).fill(-1);
  for (const [entry, row] of ends.entries())
    scoredInverse[scoredInverse[2 * row] === -1 ? 2 * row : 2 * row + 1] = entry;
  return {
    tokenIds,
    segments: texts.map(({ prompt, answers }) => ({
      prompt: prompt.length,
      branches: answers.map(({ length }) => length),
    })),
    scoredRows: Int32Array.from(ends),
    scoredInverse,
    labels: new Int32Array(ends.length).fill(-1),
    entrySequence: Int32Array.from(ends.keys()),
    sequences: ends.length,
  };
}

/** The answers of a pair in turns, chosen and rejected, behind one copy of their prompt where they share it. */
export function pairTexts(pair: TokenPair): AnsweredPrompt[] {
  const { prompt, rejectedPrompt, chosen, rejected } = pair;
  return rejectedPrompt === undefined
    ? [{ prompt, answers: [chosen, rejected] }]
    : [
        { prompt, answers: [chosen] },
        { prompt: rejectedPrompt, answers: [rejected] },
      ];
}

/** Cuts texts that belong together into runs of neighbours with at most `mostRows` rows; what alone has more is a run of its own. */
export function inRuns(
  groups: readonly (readonly AnsweredPrompt[])[],
  mostRows: number,
): (readonly AnsweredPrompt[])[] {
  const runs: AnsweredPrompt[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const own = group.reduce((sum, text) => sum + rowsOf(text), 0);
    if (rows + own > mostRows) {
      runs.push([]);
      rows = 0;
    }
    runs.at(-1)?.push(...group);
    rows += own;
  }
  return runs;
}

function rowsOf({ prompt, answers }: AnsweredPrompt): number {
  return answers.reduce((sum, { length }) => sum + length, prompt.length);
}
