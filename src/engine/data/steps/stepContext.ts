import type { RowTokens } from "../health/checkedRow.ts";
import type { PairRow } from "../row.ts";
import type { DataStep } from "./dataStep.ts";
import type { RowJudge, RowSet } from "./setRow.ts";

/** Another set that rows are mixed in from. */
export interface OtherSet {
  readonly label: string;
  /** Its training pairs. */
  readonly rows: readonly PairRow[];
  readonly judge: RowJudge | null;
}

/** What steps ask of the world. */
export interface StepContext {
  /** Token ids of a text, without special tokens. */
  readonly encode: (text: string) => readonly number[];
  /** Tokens of a row as it would be trained on; null where it would be left out. */
  readonly measure: (row: PairRow) => RowTokens | null;
  /** A vector of every text, of one length: mean-pooled hidden states of the loaded model. */
  readonly embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>;
  /** Training pairs of another embedded set; rejects with a sentence where there is none. */
  readonly readSet: (data: string, objective: string) => Promise<OtherSet>;
  /** Lets others have their turn when it is time. */
  readonly giveWay: () => Promise<void>;
}

/** A set after a step, and what the step did. */
export interface StepOutcome {
  readonly set: RowSet;
  /** One sentence with its numbers. */
  readonly sentence: string;
}

/** What does one kind of step: the same set, step and context give the same rows. Throws `DataStepError`. */
export type StepOf<Kind extends DataStep["kind"]> = (
  set: RowSet,
  step: Extract<DataStep, { kind: Kind }>,
  context: StepContext,
) => StepOutcome | Promise<StepOutcome>;

/** A step that cannot be done; the message says why and what to do. */
export class DataStepError extends Error {
  override name = "DataStepError";
}

/** Refuses rows that have one answer only, where a step needs two. */
export function needPairs(rows: readonly PairRow[], what: string): void {
  const single = rows.filter(({ isSingle }) => isSingle === true).length;
  if (single === 0) return;
  throw new DataStepError(
    `${single} of ${rows.length} training rows have one answer only, and there is nothing to ${what}: use a set of pairs.`,
  );
}

/** "1 pair", "2 pairs". */
export function pairCount(count: number, words = "pair"): string {
  return `${count} ${words}${count === 1 ? "" : "s"}`;
}
