import { textOf, type PairRow, type Text } from "../row.ts";

/** What scores the answers of a row: the judge of the row's own objective. */
export interface RowJudge {
  readonly id: string;
  readonly label: string;
  readonly score: (prompt: string, answer: string) => number;
}

/** A pair of a set that steps change. */
export interface SetRow extends PairRow {
  /** Its place in the set as it was read, training rows first; rows that a step makes are numbered on from there. */
  readonly place: number;
  /** Null where its objective has none. */
  readonly judge: RowJudge | null;
  /** What made it, such as "answers swapped"; "" for a row as it was read. */
  readonly madeBy: string;
}

/** A set while steps change it. Places are unique in it. */
export interface RowSet {
  readonly train: readonly SetRow[];
  readonly heldout: readonly SetRow[];
  /** The place of the next row that is made. */
  readonly nextPlace: number;
}

/** A set as it was read: training rows, then held-out rows, numbered from 0 on. */
export function asRead(
  train: readonly PairRow[],
  heldout: readonly PairRow[],
  judge: RowJudge | null,
): RowSet {
  const placed = (rows: readonly PairRow[], first: number) =>
    rows.map((row, index): SetRow => ({ ...row, place: first + index, judge, madeBy: "" }));
  return {
    train: placed(train, 0),
    heldout: placed(heldout, train.length),
    nextPlace: train.length + heldout.length,
  };
}

/** What made a row, with one more step. */
export function alsoMadeBy({ madeBy }: Pick<SetRow, "madeBy">, step: string): string {
  return madeBy === "" ? step : `${madeBy}, ${step}`;
}

/** Scores of both answers: those the data states, or else those of the row's judge; null where there is neither. */
export function scoresOf(
  row: Omit<SetRow, "place">,
): { readonly chosen: number; readonly rejected: number } | null {
  const { scores, judge, prompt, rejectedPrompt = prompt } = row;
  if (scores !== undefined) return scores;
  if (judge === null || row.isSingle === true) return null;
  const score = (to: Text, answer: Text) => judge.score(textOf(to), textOf(answer));
  return { chosen: score(prompt, row.chosen), rejected: score(rejectedPrompt, row.rejected) };
}

/** Score of the chosen answer less that of the rejected one; null where nothing scores them. */
export function gapOf(row: SetRow): number | null {
  const scores = scoresOf(row);
  return scores === null ? null : scores.chosen - scores.rejected;
}

/** The row with its answers swapped, and the prompts and scores that belong to them. */
export function swapped(row: SetRow): SetRow {
  const { prompt, rejectedPrompt, chosen, rejected, scores } = row;
  return {
    ...row,
    chosen: rejected,
    rejected: chosen,
    ...(rejectedPrompt === undefined ? {} : { prompt: rejectedPrompt, rejectedPrompt: prompt }),
    ...(scores === undefined ? {} : { scores: { chosen: scores.rejected, rejected: scores.chosen } }),
  };
}
