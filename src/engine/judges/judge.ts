/** A program that scores an answer; no training ever sees its rules. */
export interface Judge {
  /** The stable name used in configurations and saved runs. */
  readonly id: string;
  /** The name a person reads. */
  readonly label: string;
  /** One or two sentences that say what is scored and how. */
  readonly help: string;
  /** The score of an answer to a prompt, from -1 to 1; 0 means no sign of either style. */
  readonly score: (prompt: string, answer: string) => number;
}
