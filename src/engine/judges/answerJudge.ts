/** The form in which every judge of the online rounds is asked: many answers at once, in its own time. */
import type { JudgeSpec } from "./judgeSpec.ts";

/** An answer to be scored. */
export interface JudgedAnswer {
  readonly prompt: string;
  readonly answer: string;
  /** What the model read and wrote, for judges that are models; a terminator is part of the answer. */
  readonly promptIds: Int32Array;
  readonly answerIds: Int32Array;
}

/** What a judge says of one answer: a finite score, or why there is none. */
export type Verdict = { readonly score: number } | { readonly reason: string };

/** A judge that may take its time. */
export interface AnswerJudge {
  readonly spec: JudgeSpec;
  /** The name a person reads. */
  readonly label: string;
  /**
   * A verdict per answer, in order: what fails is a verdict with its reason. Rejects once the signal is aborted; in rounds any
   * other rejection is a failure of all answers that were asked. Answers to one prompt stand next to one another, but those
   * that have a verdict already are not asked again.
   */
  readonly score: (answers: readonly JudgedAnswer[], signal: AbortSignal) => Promise<readonly Verdict[]>;
}
