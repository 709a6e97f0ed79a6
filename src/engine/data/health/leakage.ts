import { textOf, type Text } from "../row.ts";
import { rowsPerTurn, type Checker } from "./checkedRow.ts";
import { createTextNumbers } from "./textNumbers.ts";

const OTHER_THAN_WORDS = /[^\p{L}\p{N}\p{M}]+/gu;

/** A prompt without case, spaces and punctuation; "" where nothing is left. */
function bare(prompt: Text): string {
  return textOf(prompt).normalize("NFKC").toLowerCase().replace(OTHER_THAN_WORDS, "");
}

/** Training pairs whose prompt is held out too: word for word, or but for case, spaces and punctuation. */
export const leakage: Checker = function* (rows) {
  const numberOf = createTextNumbers();
  const exact = new Set<number>();
  const similar = new Set<string>();
  for (const [index, { split, prompt, rejectedPrompt = prompt }] of rows.entries()) {
    if (index % rowsPerTurn === 0) yield;
    if (split !== "heldout") continue;
    for (const text of [prompt, rejectedPrompt]) {
      exact.add(numberOf(text));
      similar.add(bare(text));
    }
  }
  similar.delete("");
  const found: number[] = [];
  let exactly = 0;
  exact.delete(numberOf(""));
  for (const [index, { split, prompt, rejectedPrompt = prompt, place }] of rows.entries()) {
    if (index % rowsPerTurn === 0) yield;
    if (split !== "train") continue;
    const prompts = [prompt, rejectedPrompt];
    const isExact = prompts.some((text) => exact.has(numberOf(text)));
    if (!isExact && !prompts.some((text) => similar.has(bare(text)))) continue;
    exactly += Number(isExact);
    found.push(place);
  }
  if (found.length === 0) return null;
  const have = found.length === 1 ? "1 training pair has" : `${found.length} training pairs have`;
  const sentence = `${have} a prompt that is held out too (${exactly} word for word, ${found.length - exactly} but for case, spaces and punctuation): held-out figures then tell what was learned by heart.`;
  return { rows: found, sentence, isFixable: true };
};
