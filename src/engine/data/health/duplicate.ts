import { rowsPerTurn, type Checker } from "./checkedRow.ts";
import { createTextNumbers } from "./textNumbers.ts";

/** Pairs that stand in their split before, word for word: the first of each stays. */
export const duplicate: Checker = function* (rows) {
  const numberOf = createTextNumbers();
  const seen = new Set<string>();
  const found: number[] = [];
  for (const [index, row] of rows.entries()) {
    const { split, prompt, chosen, rejected, rejectedPrompt = prompt, place } = row;
    if (index % rowsPerTurn === 0) yield;
    const key = [split, ...[prompt, chosen, rejectedPrompt, rejected].map(numberOf)].join(" ");
    if (seen.has(key)) found.push(place);
    seen.add(key);
  }
  if (found.length === 0) return null;
  const what =
    found.length === 1 ? "1 pair repeats an earlier one" : `${found.length} pairs repeat earlier ones`;
  const sentence = `${what} word for word: what is there twice counts twice.`;
  return { rows: found, sentence, isFixable: true };
};
