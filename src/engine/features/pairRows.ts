/** Where the tokens of pairs lie among rows: prompt, chosen and rejected answer of one pair after another. */
import { promptOf, type TokenPair } from "../data/tokenPair.ts";

/** Sides of a pair, in the order in which their answers lie. */
export const sides = ["chosen", "rejected"] as const;

/** One side of a pair. */
export type Side = (typeof sides)[number];

/**
 * A position that is looked at: a row that predicts a token of an answer, but for the start of a text. The last row of a
 * prompt is a position of both of its answers.
 */
export interface Position {
  /** Index of the pair. */
  readonly pair: number;
  readonly side: Side;
  /** Place in the answer of the token that is predicted. */
  readonly index: number;
  readonly row: number;
  /** The token that was read last, and the one that follows. */
  readonly token: number;
  readonly next: number;
  /** Share of its activations in the answer's pooled ones: one over the answer's tokens, those of the start included. */
  readonly share: number;
}

/** Number of rows of a pair; where its answers have a prompt each, the second one lies before the rejected answer. */
export function rowCount({ prompt, chosen, rejected, rejectedPrompt }: TokenPair): number {
  return prompt.length + chosen.length + (rejectedPrompt?.length ?? 0) + rejected.length;
}

/** First row of every pair. */
export function firstRows(pairs: readonly TokenPair[]): Uint32Array {
  let row = 0;
  return Uint32Array.from(pairs, (pair) => {
    row += rowCount(pair);
    return row - rowCount(pair);
  });
}

/** Row of a token of prompt and answer, counted from the prompt's first; `first` is the pair's first row. */
export function rowOf(
  pair: TokenPair,
  side: Side,
  { first, place }: { first: number; place: number },
): number {
  if (side === "chosen") return first + place;
  if (pair.rejectedPrompt !== undefined) return first + pair.prompt.length + pair.chosen.length + place;
  return first + place + (place >= pair.prompt.length ? pair.chosen.length : 0);
}

/** Prompt and answer as one text. */
export function textOf(pair: TokenPair, side: Side): Int32Array {
  return Int32Array.from([...promptOf(pair, side), ...pair[side]]);
}

/** Calls `visit` for every position of every pair, its chosen answer first. */
export function eachPosition(
  pairs: readonly TokenPair[],
  startToken: number | null,
  visit: (position: Position) => void,
): void {
  const starts = firstRows(pairs);
  pairs.forEach((pair, number) => {
    for (const side of sides) {
      const answer = pair[side];
      const ownPrompt = promptOf(pair, side);
      const prompt = ownPrompt.length;
      answer.forEach((next, index) => {
        const token = index === 0 ? ownPrompt[prompt - 1]! : answer[index - 1]!;
        if (token === startToken) return;
        const row = rowOf(pair, side, { first: starts[number]!, place: prompt + index - 1 });
        visit({ pair: number, side, index, row, token, next, share: 1 / answer.length });
      });
    }
  });
}

/** The first pairs, as many as have at most that many rows together; at least one. */
export function pairsWithin(pairs: readonly TokenPair[], largestRows: number): readonly TokenPair[] {
  let rows = 0;
  const end = pairs.findIndex((pair) => (rows += rowCount(pair)) > largestRows);
  return end < 0 ? pairs : pairs.slice(0, Math.max(1, end));
}
