/** What an online run needs beside an offline one, and what it reports. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { AnswerJudge } from "../judges/answerJudge.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { SamplePrompt } from "../training/samples.ts";
import type { JudgeFailure, OnlineEvaluation, RoundRecord } from "./roundRecord.ts";

/** A training prompt. */
export interface OnlinePrompt extends SamplePrompt {
  /** The set's own pair of answers to it, with the texts of both; null and "" where there is none. */
  readonly pair: TokenPair | null;
  readonly chosen: string;
  readonly rejected: string;
}

/** A judge that rounds select, pair and weigh by: its scores count times its weight. */
export interface RankingJudge {
  readonly judge: AnswerJudge;
  readonly weight: number;
}

/** Where the rounds of an online run are, as `train` writes it and takes it back. */
export interface RoundsCheckpoint {
  /** JSON: round, stage, stored pairs, answers drawn and scored so far. */
  readonly state: string;
  /** The policy at the start of the round, where that is the reference; empty otherwise. */
  readonly reference: Readonly<Record<string, Float32Array>>;
}

/** What the rounds of a run are made of. */
export interface OnlineSetup {
  /** Training prompts, each once. */
  readonly prompts: readonly OnlinePrompt[];
  /** Prompts that are answered before the first round and after every one, and never trained on. */
  readonly heldoutPrompts: readonly SamplePrompt[];
  readonly tokenizer: Tokenizer;
  readonly judges: readonly RankingJudge[];
  /** Scores answers to held-out prompts alone; null for none. */
  readonly heldoutJudge: AnswerJudge | null;
  /** Milliseconds of any clock. */
  readonly now: () => number;
  /** Aborted when the run is stopped: a judge that waits lets go, and the run ends with a milestone. */
  readonly signal: AbortSignal;
  /** From a milestone's `rounds`, beside the run's own `resume`. */
  readonly resume?: RoundsCheckpoint;
}

/** What rounds report; `step` counts the optimizer steps taken so far. */
export type OnlineReport =
  | {
      readonly kind: "generating" | "judging";
      readonly step: number;
      readonly done: number;
      readonly total: number;
    }
  /** When its pairs are there, after judges have failed, and when its steps are taken. */
  | { readonly kind: "round"; readonly record: RoundRecord }
  | { readonly kind: "onlineEvaluation"; readonly evaluation: OnlineEvaluation }
  /** Judges could not score some answers; without a decision until the next report the round goes on without them. */
  | {
      readonly kind: "judgeFailed";
      readonly failures: readonly JudgeFailure[];
      readonly decide: (choice: "retry" | "goOn") => void;
    };
