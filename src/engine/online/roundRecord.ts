/** What is told of the rounds of an online run, as plain data. */

/** The two answers of a prompt that are trained on, with the combined score of the judges. */
export interface ScoredPair {
  readonly chosen: string;
  readonly rejected: string;
  readonly chosenScore: number;
  readonly rejectedScore: number;
  /** Round that drew them; −1 for a pair of the data set. */
  readonly drawnIn: number;
}

/** What became of a prompt in a round. */
export interface PromptOutcome {
  readonly prompt: string;
  readonly isRegenerated: boolean;
  /** The stored pair before the round; null where there was none. */
  readonly before: ScoredPair | null;
  /** The pair that the round trains on; null where there is none. */
  readonly now: ScoredPair | null;
  /** Why there is no new pair: "" where there is one or none was drawn. */
  readonly reason: "" | "equalScores" | "equalTexts" | "judgeFailed" | "emptyAnswers";
}

/** An answer that a judge could not score. */
export interface JudgeFailure {
  readonly judge: string;
  readonly prompt: string;
  readonly answer: string;
  readonly reason: string;
}

/** Seconds of a round by what they were spent on. */
export interface RoundSeconds {
  readonly generate: number;
  readonly score: number;
  readonly reference: number;
  readonly train: number;
  /** Answers to held-out prompts and their scores, which the round itself does not need. */
  readonly evaluate: number;
}

/** One round of an online run. */
export interface RoundRecord {
  /** From 0 on. */
  readonly round: number;
  /** Optimizer steps before the round. */
  readonly step: number;
  readonly prompts: readonly PromptOutcome[];
  readonly failures: readonly JudgeFailure[];
  /** Tokens drawn, and tokens that the answers to the prompts that were left took when they were drawn. */
  readonly generatedTokens: number;
  readonly savedTokens: number;
  readonly seconds: RoundSeconds;
  /** True once it has its pairs; before that judges have failed, or its answers make no pair. */
  readonly isSettled: boolean;
  /** True once its steps are taken. */
  readonly isOver: boolean;
  /** Names of methods.md §7: `online/…`, `judge/…`, `weights/…`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** A share of held-out prompts with its interval of 95 %. */
export interface WinRate {
  /** Ties count half. */
  readonly share: number;
  readonly low: number;
  readonly high: number;
  readonly prompts: number;
  readonly ties: number;
}

/**
 * Mean score of drawn answers to the held-out prompts, with an interval of 95 % over the prompts that were scored; a single
 * one has a mean, but null for both ends.
 */
export interface MeanScore {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** How the policy answers the held-out prompts after so many rounds; 0 is the model that the run started from. */
export interface OnlineEvaluation {
  readonly rounds: number;
  readonly step: number;
  /** The held-out judge has fallen for as many rounds as the setup allows: the run ends here. */
  readonly endsRun: boolean;
  /** Seconds of all rounds before, without evaluations. */
  readonly seconds: number;
  /** The judges that rounds select and weigh by. Null where no answer has a score of all of them. */
  readonly proxy: MeanScore | null;
  /** The judge that no selection and no weight sees; null where there is none, or where it scored nothing. */
  readonly heldout: MeanScore | null;
  /** What judges could not score, by judge and reason: means and shares are of the prompts that are left. */
  readonly failures: readonly {
    readonly judge: string;
    readonly reason: string;
    readonly answers: number;
  }[];
  /** Against the answers of the model that the run started from, by the held-out judge (the proxy where there is none). */
  readonly winRate: WinRate | null;
  /** `samples/kl`, `samples/neg_logps`, `samples/length`, `samples/distinct_2`, `samples/entropy`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly samples: readonly {
    readonly prompt: string;
    readonly answer: string;
    readonly proxy: number | null;
    readonly heldout: number | null;
  }[];
  /**
   * Best-of-n of the starting model, the plain baseline: mean held-out and proxy score of the best of the first n answers
   * by the proxy. Only with `rounds` 0.
   */
  readonly bestOf: readonly { readonly n: number; readonly proxy: number; readonly heldout: number | null }[];
}
