import type { Checker } from "./checkedRow.ts";

/** Pairs that were cut to fit: prompts lose their beginning, answers their end. */
export const truncated: Checker = function* (rows, { maxTokens }) {
  yield;
  const found = rows.filter(({ tokens }) => tokens !== null && (tokens.isPromptCut || tokens.isAnswerCut));
  if (found.length === 0) return null;
  const prompts = found.filter(({ tokens }) => tokens?.isPromptCut === true).length;
  const answers = found.filter(({ tokens }) => tokens?.isAnswerCut === true).length;
  const parts = [
    ...(prompts > 0 ? [`${prompts} of the prompts lost their beginning`] : []),
    ...(answers > 0 ? [`${answers} of the pairs an answer's end`] : []),
  ];
  const are = found.length === 1 ? "1 pair is" : `${found.length} pairs are`;
  const sentence = `${are} longer than ${maxTokens} tokens and cut: ${parts.join(", ")}. The model is trained on what is left; longer texts keep it whole.`;
  return { rows: found.map(({ place }) => place), sentence, isFixable: true };
};
