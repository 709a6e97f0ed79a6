import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { textOf, type Text } from "./row.ts";

/** What ends an answer: an end token, nothing, or what the chat template writes after it. */
export type Terminator = "eos" | "none" | "template";

/** A prompt and an answer as token ids, before any length limit. */
export interface SideIds {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  /** The answer had to be tokenised apart, because the prompt's ids do not begin the ids of both together. */
  readonly isApart: boolean;
}

/** What answers are tokenised with. */
export interface AnswerOptions {
  readonly tokenizer: Tokenizer;
  /** For chats; plain text has no template and takes `template` as `eos`. */
  readonly terminator: Terminator;
}

/** Splits the ids of prompt and answer together, where the prompt's ids begin them. */
function split(prompt: readonly number[], whole: readonly number[]): readonly number[] | null {
  return prompt.every((id, i) => whole[i] === id) ? whole.slice(prompt.length) : null;
}

function endWith(answer: readonly number[], terminator: Terminator, tokenizer: Tokenizer): readonly number[] {
  const [end] = tokenizer.stopTokenIds;
  // An empty answer stays empty, so that it is noticed.
  return terminator === "none" || end === undefined || answer.length === 0 ? answer : [...answer, end];
}

function plainIds(prompt: string, answer: string, options: AnswerOptions): SideIds {
  const { tokenizer, terminator } = options;
  const promptIds = tokenizer.encode(prompt, { addSpecialTokens: true });
  const whole = tokenizer.encode(prompt + answer, { addSpecialTokens: true });
  const together = split(promptIds, whole);
  const answerIds = together ?? tokenizer.encode(answer, { addSpecialTokens: false });
  return {
    prompt: promptIds,
    answer: endWith(answerIds, terminator, tokenizer),
    isApart: together === null,
  };
}

/** The rendered chat up to the end of its last content, or null where the template rewrites that content. */
function withoutClosing(rendered: string, content: string): string | null {
  const written = content.trim();
  const start = rendered.lastIndexOf(written);
  return start < 0 ? null : rendered.slice(0, start + written.length);
}

function chatIds(
  prompt: Exclude<Text, string>,
  answer: Exclude<Text, string>,
  options: AnswerOptions,
): SideIds {
  const { tokenizer, terminator } = options;
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const promptText = tokenizer.renderChat(prompt, { addGenerationPrompt: true });
  const rendered = tokenizer.renderChat([...prompt, ...answer], { addGenerationPrompt: false });
  const promptIds = encode(promptText);
  const wholeText =
    terminator === "template" ? rendered : withoutClosing(rendered, answer.at(-1)?.content ?? "");
  const together = wholeText === null ? null : split(promptIds, encode(wholeText));
  // Where the text continues the prompt and only tokens merged across the seam, the template's ending is kept.
  const isContinued = wholeText?.startsWith(promptText) === true;
  const restText = isContinued ? wholeText.slice(promptText.length) : textOf(answer);
  const answerIds = together ?? encode(restText);
  const isClosed = terminator === "template" && (together !== null || isContinued);
  return {
    prompt: promptIds,
    answer: isClosed ? answerIds : endWith(answerIds, terminator, tokenizer),
    isApart: together === null,
  };
}

/**
 * Ids of a prompt and one answer. Both are tokenised together and split where the prompt's ids begin them; otherwise
 * the answer is tokenised apart. Prompt and answer must be of one kind; messages need a chat template.
 */
export function sideIds(prompt: Text, answer: Text, options: AnswerOptions): SideIds {
  if (typeof prompt === "string" && typeof answer === "string") return plainIds(prompt, answer, options);
  if (typeof prompt !== "string" && typeof answer !== "string") return chatIds(prompt, answer, options);
  throw new TypeError("A prompt and its answer must both be texts or both be messages.");
}
