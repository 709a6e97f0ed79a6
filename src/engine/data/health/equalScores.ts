import type { Checker } from "./checkedRow.ts";

/** Pairs whose answers are scored alike, by the data or by the judge. */
export const equalScores: Checker = function* (rows) {
  yield;
  const found = rows.filter(({ gap }) => gap === 0);
  if (found.length === 0) return null;
  const have = found.length === 1 ? "1 pair has" : `${found.length} pairs have`;
  const sentence = `${have} two answers with the same score: the scores do not say which is better, and methods that weigh pairs by the gap give them none.`;
  return { rows: found.map(({ place }) => place), sentence, isFixable: true };
};
