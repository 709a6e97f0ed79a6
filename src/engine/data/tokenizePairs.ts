import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { sideIds, type SideIds, type Terminator } from "./answerIds.ts";
import type { PairRow, ProblemKind, RowProblem } from "./row.ts";
import type { TokenPair } from "./tokenPair.ts";

/** How pairs are tokenised; equal for the reference pass, training and evaluation. */
export interface TokenizeOptions {
  readonly tokenizer: Tokenizer;
  /** Left out: what the template writes for chats, the end token for plain text. */
  readonly terminator?: Terminator;
  /** Most tokens of a prompt with one answer, at least 2. */
  readonly maxTokens: number;
}

/** Token pairs, the rows that gave none, and how many pairs were changed to fit. */
export interface TokenizedPairs {
  readonly pairs: readonly TokenPair[];
  readonly problems: readonly RowProblem[];
  readonly counts: {
    /** Pairs with an answer tokenised apart from its prompt. */
    readonly apart: number;
    readonly truncatedPrompts: number;
    /** Pairs with an answer that alone was over the limit. */
    readonly cutAnswers: number;
  };
}

interface FittedPair {
  readonly tokens: Omit<TokenPair, "row">;
  readonly isTruncated: boolean;
  readonly isCut: boolean;
}

/** Truncates the prompt from the left behind its BOS; an answer that leaves no room for one prompt token is cut. */
function fit(chosen: SideIds, rejected: SideIds, options: TokenizeOptions): FittedPair {
  const { prompt } = chosen;
  const answerLimit = options.maxTokens - 1;
  const sides = [chosen.answer, rejected.answer];
  const [fittedChosen = [], fittedRejected = []] = sides.map((answer) => answer.slice(0, answerLimit));
  const room = options.maxTokens - Math.max(fittedChosen.length, fittedRejected.length);
  const bos = prompt[0] === options.tokenizer.bosTokenId ? prompt.slice(0, 1) : [];
  const kept = prompt.slice(Math.max(bos.length, prompt.length - (room - bos.length)));
  return {
    tokens: {
      prompt: Int32Array.from(prompt.length > room ? [...bos, ...kept] : prompt),
      chosen: Int32Array.from(fittedChosen),
      rejected: Int32Array.from(fittedRejected),
    },
    isTruncated: prompt.length > room,
    isCut: sides.some((answer) => answer.length > answerLimit),
  };
}

function isSame(first: Int32Array, second: Int32Array): boolean {
  return first.length === second.length && first.every((id, i) => id === second[i]);
}

function problem(kind: ProblemKind, reason: string): Omit<RowProblem, "row"> {
  return { kind, reason };
}

function problemOf({ prompt, chosen, rejected }: Omit<TokenPair, "row">): Omit<RowProblem, "row"> | null {
  if (prompt.length === 0)
    return problem("emptyPrompt", "the prompt is empty and the model has no start token");
  if (chosen.length === 0) return problem("emptyAnswer", "the chosen answer has no tokens");
  if (rejected.length === 0) return problem("emptyAnswer", "the rejected answer has no tokens");
  if (isSame(chosen, rejected)) return problem("identicalPair", "the two answers have the same tokens");
  return null;
}

/** Rows between two turns of `tokenizeInTurns`. */
const ROWS_PER_TURN = 16;

/**
 * Tokenises pairs: BOS once, the answer with its terminator, nothing over `maxTokens`. Prompts are truncated from the
 * left, but one that alone fills `maxTokens` is left out; an answer alone over the limit is cut from the right and loses its terminator.
 * Throws RangeError for a limit below 2, and `TokenizerError` where a chat template refuses a conversation.
 */
export function tokenizePairs(rows: readonly PairRow[], options: TokenizeOptions): TokenizedPairs {
  const work = tokenizeInTurns(rows, options);
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}

/** Does what `tokenizePairs` does and yields every few rows, so that a large file need not keep everything waiting. */
export function* tokenizeInTurns(
  rows: readonly PairRow[],
  options: TokenizeOptions,
): Generator<void, TokenizedPairs, void> {
  const { maxTokens } = options;
  if (!Number.isInteger(maxTokens) || maxTokens < 2)
    throw new RangeError(`maxTokens is ${maxTokens}, expected a whole number of at least 2.`);
  const pairs: TokenPair[] = [];
  const problems: RowProblem[] = [];
  const counts = { apart: 0, truncatedPrompts: 0, cutAnswers: 0 };
  for (const [row, pairRow] of rows.entries()) {
    if (row > 0 && row % ROWS_PER_TURN === 0) yield;
    const outcome = tokenizeRow(pairRow, options);
    if ("problem" in outcome) {
      problems.push({ row: pairRow.source.row, ...outcome.problem });
      continue;
    }
    counts.apart += Number(outcome.isApart);
    counts.truncatedPrompts += Number(outcome.isTruncated);
    counts.cutAnswers += Number(outcome.isCut);
    pairs.push({ ...outcome.tokens, row });
  }
  return { pairs, problems, counts };
}

type RowOutcome =
  (FittedPair & { readonly isApart: boolean }) | { readonly problem: Omit<RowProblem, "row"> };

function tokenizeRow(row: PairRow, options: TokenizeOptions): RowOutcome {
  const { prompt, chosen, rejected, scores, weight } = row;
  const { tokenizer } = options;
  const isChat = typeof prompt !== "string";
  if (isChat && !tokenizer.hasChatTemplate) {
    const reason = "messages need a chat template, and this tokenizer has none";
    return { problem: { kind: "needsChatTemplate", reason } };
  }
  const answerOptions = { tokenizer, terminator: options.terminator ?? (isChat ? "template" : "eos") };
  const chosenIds = sideIds(prompt, chosen, answerOptions);
  const rejectedIds = sideIds(prompt, rejected, answerOptions);
  const promptTokens = chosenIds.prompt.length;
  if (promptTokens >= options.maxTokens) {
    const reason = `the prompt has ${promptTokens} tokens and fills the context of ${options.maxTokens}`;
    return { problem: problem("promptFills", reason) };
  }
  const fitted = fit(chosenIds, rejectedIds, options);
  const found = problemOf(fitted.tokens);
  if (found !== null) return { problem: found };
  const tokens = {
    ...fitted.tokens,
    ...(scores === undefined ? {} : { rewardGap: scores.chosen - scores.rejected }),
    ...(weight === undefined ? {} : { weight }),
    ...(fitted.isTruncated ? { isPromptCut: true as const } : {}),
    ...(fitted.isCut ? { isAnswerCut: true as const } : {}),
  };
  return { ...fitted, tokens, isApart: chosenIds.isApart || rejectedIds.isApart };
}
