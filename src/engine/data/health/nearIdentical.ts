import { rowsPerTurn, type Checker } from "./checkedRow.ts";
import { areWithin, wordsOf } from "./words.ts";
import { isSameText, type Text } from "../row.ts";

/** Answers are alike where at most this share of the longer one's words has to change: similarity is 1 − that share. */
const MOST_CHANGED = 0.1;
/** Words of an answer that are compared, so that one endless answer holds nothing up. */
const LONGEST = 4096;

/** Pairs whose answers say nearly the same: normalised Levenshtein similarity over words of at least 0.9. */
export const nearIdentical: Checker = function* (rows) {
  const found: number[] = [];
  for (const [index, { chosen, rejected, place }] of rows.entries()) {
    if (index % rowsPerTurn === 0) yield;
    if (areAlike(chosen, rejected)) found.push(place);
  }
  if (found.length === 0) return null;
  const [pairs, have] = found.length === 1 ? ["pair", "has"] : ["pairs", "have"];
  const sentence = `${found.length} ${pairs} ${have} two answers of which at least nine words in ten agree: there is little to learn from them, and what raises one answer raises the other.`;
  return { rows: found, sentence, isFixable: true };
};

function areAlike(chosen: Text, rejected: Text): boolean {
  const [first, second] = [wordsOf(chosen).slice(0, LONGEST), wordsOf(rejected).slice(0, LONGEST)];
  const longest = Math.max(first.length, second.length);
  if (longest === 0) return isSameText(chosen, rejected);
  return areWithin(first, second, Math.floor(longest * MOST_CHANGED + Number.EPSILON));
}
