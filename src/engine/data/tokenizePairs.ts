import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { sideIds, type SideIds, type Terminator } from "./answerIds.ts";
import { transcriptOf } from "./formats/hhRlhf.ts";
import { textOf, type PairRow, type ProblemKind, type RowProblem } from "./row.ts";
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

interface FitOptions extends TokenizeOptions {
  /** The rejected answer is to a prompt of its own. */
  readonly hasTwoPrompts: boolean;
}

interface FittedPair {
  readonly tokens: Omit<TokenPair, "row">;
  readonly isTruncated: boolean;
  readonly isCut: boolean;
}

/** The prompt in so much room: truncated from the left behind its BOS. */
function fitPrompt(prompt: readonly number[], room: number, bosTokenId: number | null): Int32Array {
  if (prompt.length <= room) return Int32Array.from(prompt);
  const bos = prompt[0] === bosTokenId ? prompt.slice(0, 1) : [];
  return Int32Array.from([
    ...bos,
    ...prompt.slice(Math.max(bos.length, prompt.length - (room - bos.length))),
  ]);
}

/**
 * Truncates prompts from the left; an answer that leaves no room for one prompt token is cut. Answers to one prompt are
 * fitted together, so that both follow the same tokens.
 */
function fit(chosen: SideIds, rejected: SideIds, options: FitOptions): FittedPair {
  const { maxTokens, hasTwoPrompts, tokenizer } = options;
  const answerLimit = maxTokens - 1;
  const sides = [chosen.answer, rejected.answer];
  const [fittedChosen = [], fittedRejected = []] = sides.map((answer) => answer.slice(0, answerLimit));
  const longest = hasTwoPrompts ? fittedChosen.length : Math.max(fittedChosen.length, fittedRejected.length);
  const [room, otherRoom] = [maxTokens - longest, maxTokens - fittedRejected.length];
  const isOtherLong = hasTwoPrompts && rejected.prompt.length > otherRoom;
  return {
    tokens: {
      prompt: fitPrompt(chosen.prompt, room, tokenizer.bosTokenId),
      chosen: Int32Array.from(fittedChosen),
      rejected: Int32Array.from(fittedRejected),
      ...(hasTwoPrompts
        ? { rejectedPrompt: fitPrompt(rejected.prompt, otherRoom, tokenizer.bosTokenId) }
        : {}),
    },
    isTruncated: chosen.prompt.length > room || isOtherLong,
    isCut: sides.some((answer) => answer.length > answerLimit),
  };
}

function isSame(first: Int32Array, second: Int32Array): boolean {
  return first.length === second.length && first.every((id, i) => id === second[i]);
}

function problem(kind: ProblemKind, reason: string): Omit<RowProblem, "row"> {
  return { kind, reason };
}

function problemOf(
  { prompt, chosen, rejected, rejectedPrompt = prompt }: Omit<TokenPair, "row">,
  { isSingle }: PairRow,
): Omit<RowProblem, "row"> | null {
  if (prompt.length === 0 || rejectedPrompt.length === 0)
    return problem("emptyPrompt", "the prompt is empty and the model has no start token");
  if (chosen.length === 0) return problem("emptyAnswer", "the chosen answer has no tokens");
  if (isSingle === true) return null;
  if (rejected.length === 0) return problem("emptyAnswer", "the rejected answer has no tokens");
  if (rejectedPrompt === prompt && isSame(chosen, rejected))
    return problem("identicalPair", "the two answers have the same tokens");
  return null;
}

/** Rows between two turns of `tokenizeInTurns`. */
const ROWS_PER_TURN = 16;

/**
 * Tokenises pairs: BOS once, the answer with its terminator, nothing over `maxTokens`. Prompts are truncated from the
 * left, but one that alone fills `maxTokens` is left out; an answer alone over the limit is cut from the right and loses its terminator.
 * Throws RangeError for a limit below 2.
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

const NOTHING: SideIds = { prompt: [], answer: [], isApart: false };

/** Ids of a text to copy whole: without a start token its first token is what the others follow. */
function ownStart(side: SideIds): SideIds {
  if (side.prompt.length > 0 || side.answer.length < 2) return side;
  return { ...side, prompt: side.answer.slice(0, 1), answer: side.answer.slice(1) };
}

/** A row as this tokenizer can write it: transcripts as plain text where there is no chat template. */
function writable(row: PairRow, tokenizer: Tokenizer): PairRow {
  const { prompt, isTranscript = false } = row;
  if (!isTranscript || tokenizer.hasChatTemplate || typeof prompt === "string") return row;
  const { chosen, rejected } = row;
  return {
    ...row,
    prompt: transcriptOf(prompt),
    chosen: ` ${textOf(chosen)}`,
    rejected: ` ${textOf(rejected)}`,
  };
}

/** A row as tokens; a conversation that the chat template refuses, such as one with a system message, is a bad row. */
function tokenizeRow(row: PairRow, options: TokenizeOptions): RowOutcome {
  try {
    return tokensOfRow(row, options);
  } catch (error) {
    // By its name: data sees no more of the tokenizer than its types.
    if (!(error instanceof Error && error.name === "TokenizerError")) throw error;
    return { problem: problem("templateRefuses", `the chat template does not take it: ${error.message}`) };
  }
}

function tokensOfRow(given: PairRow, options: TokenizeOptions): RowOutcome {
  const { tokenizer, maxTokens } = options;
  const row = writable(given, tokenizer);
  const { prompt, chosen, rejected, rejectedPrompt, isSingle = false, scores, weight } = row;
  const isChat = typeof prompt !== "string";
  if (isChat && !tokenizer.hasChatTemplate) {
    const reason = "messages need a chat template, and this tokenizer has none";
    return { problem: { kind: "needsChatTemplate", reason } };
  }
  const answerOptions = { tokenizer, terminator: options.terminator ?? (isChat ? "template" : "eos") };
  const chosenSide = sideIds(prompt, chosen, answerOptions);
  const chosenIds = isSingle ? ownStart(chosenSide) : chosenSide;
  const rejectedIds = isSingle ? NOTHING : sideIds(rejectedPrompt ?? prompt, rejected, answerOptions);
  const promptTokens = Math.max(chosenIds.prompt.length, rejectedIds.prompt.length);
  if (promptTokens >= maxTokens) {
    const reason = `the prompt has ${promptTokens} tokens and fills the context of ${maxTokens}`;
    return { problem: problem("promptFills", reason) };
  }
  const fitted = fit(chosenIds, rejectedIds, { ...options, hasTwoPrompts: rejectedPrompt !== undefined });
  const found = problemOf(fitted.tokens, row);
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
