import { rowsPerTurn, type Checker } from "./checkedRow.ts";
import { createTextNumbers } from "./textNumbers.ts";

/** Pairs of one prompt with A over B where another has B over A; all of them are named, because either may be wrong. */
export const conflict: Checker = function* (rows) {
  const numberOf = createTextNumbers();
  const keys: { readonly own: string; readonly opposite: string; readonly place: number }[] = [];
  for (const [index, row] of rows.entries()) {
    const { prompt, chosen, rejected, rejectedPrompt = prompt, place } = row;
    if (index % rowsPerTurn === 0) yield;
    const over = `${numberOf(prompt)} ${numberOf(chosen)}`;
    const under = `${numberOf(rejectedPrompt)} ${numberOf(rejected)}`;
    keys.push({ own: `${over} > ${under}`, opposite: `${under} > ${over}`, place });
  }
  const known = new Set(keys.map(({ own }) => own));
  const found = keys.filter(({ opposite }) => known.has(opposite)).map(({ place }) => place);
  if (found.length === 0) return null;
  const sentence = `${found.length} pairs contradict one another: for the same prompt one prefers A to B and another B to A, and together they teach nothing.`;
  return { rows: found, sentence, isFixable: true };
};
