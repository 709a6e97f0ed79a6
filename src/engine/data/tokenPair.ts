/**
 * One preference pair as token ids; the answers include their terminator where there is one. Where there is only an
 * answer to copy, `rejected` is empty.
 */
export interface TokenPair {
  readonly prompt: Int32Array;
  readonly chosen: Int32Array;
  readonly rejected: Int32Array;
  /** The prompt of the rejected answer, where it is another one: answers that were labelled one by one. */
  readonly rejectedPrompt?: Int32Array;
  /** Index of the row it came from, in the list of rows that was tokenised. */
  readonly row: number;
  /** Judge score of the chosen answer less that of the rejected one, where a judge has scored both. */
  readonly rewardGap?: number;
  /** Weight of the pair in the data, where it has one. */
  readonly weight?: number;
  /** What was cut to fit: the prompt's beginning, an answer's end; absent where nothing was. */
  readonly isPromptCut?: true;
  readonly isAnswerCut?: true;
}

/** The prompt of one side of a pair. */
export function promptOf(
  { prompt, rejectedPrompt = prompt }: TokenPair,
  side: "chosen" | "rejected",
): Int32Array {
  return side === "chosen" ? prompt : rejectedPrompt;
}

/** Whether a pair has two answers to one prompt. */
export function isOfOnePrompt({ rejected, rejectedPrompt }: TokenPair): boolean {
  return rejected.length > 0 && rejectedPrompt === undefined;
}
