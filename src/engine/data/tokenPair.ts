/** One preference pair as token ids; the answers include their terminator where there is one. */
export interface TokenPair {
  readonly prompt: Int32Array;
  readonly chosen: Int32Array;
  readonly rejected: Int32Array;
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
