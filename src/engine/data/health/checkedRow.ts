import type { Text } from "../row.ts";
import type { TokenPair } from "../tokenPair.ts";

/** Tokens of a pair as it is trained on. */
export interface RowTokens {
  readonly chosen: number;
  readonly rejected: number;
  readonly isPromptCut: boolean;
  readonly isAnswerCut: boolean;
}

/** Tokens of a pair. */
export function tokensOf({ chosen, rejected, isPromptCut, isAnswerCut }: TokenPair): RowTokens {
  return {
    chosen: chosen.length,
    rejected: rejected.length,
    isPromptCut: isPromptCut === true,
    isAnswerCut: isAnswerCut === true,
  };
}

/** A pair with what its health is judged by. */
export interface CheckedRow {
  readonly place: number;
  readonly split: "train" | "heldout";
  readonly prompt: Text;
  readonly chosen: Text;
  readonly rejected: Text;
  /** What the rejected answer answers, where that is another prompt. */
  readonly rejectedPrompt?: Text;
  /** Judged or stated; null where there is none. */
  readonly gap: number | null;
  /** Null where the pair was not tokenised or cannot be. */
  readonly tokens: RowTokens | null;
}

/** What a check found. */
export interface Found {
  /** Places of the rows in question, in the order of the set. */
  readonly rows: readonly number[];
  /** What it is and what it does, with its number. */
  readonly sentence: string;
  /** Whether leaving the rows out is a remedy. */
  readonly isFixable: boolean;
}

/** Limits that a sentence names. */
export interface HealthLimits {
  readonly maxTokens: number;
}

/** A check of a whole set, in linear time; yields now and then, and gives null where all is well. */
export type Checker = (
  rows: readonly CheckedRow[],
  limits: HealthLimits,
) => Generator<void, Found | null, void>;

/** Rows between two turns of a check. */
export const rowsPerTurn = 64;
