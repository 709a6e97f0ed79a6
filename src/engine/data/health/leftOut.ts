import type { ProblemKind, RowProblem } from "../row.ts";

/** Words for each reason, in the order of the health sentence. */
const PROBLEM_WORDS: ReadonlyMap<ProblemKind, string> = new Map([
  ["identicalPair", "identical"],
  ["emptyAnswer", "empty"],
  ["equalScores", "with equal scores"],
  ["lowScoreRatio", "with too small a ratio of scores"],
  ["emptyPrompt", "without a prompt"],
  ["promptFills", "with a prompt that fills the context"],
  ["invalidJson", "not valid JSON"],
  ["unknownColumns", "with unknown columns"],
  ["missingColumn", "with a missing column"],
  ["wrongType", "of a wrong type"],
  ["badNumber", "with a weight or score that is no number"],
  ["needsChatTemplate", "that need a chat template"],
  ["templateRefuses", "that the chat template does not take"],
]);

/** What the health of a dataset is judged by. */
export interface HealthReport {
  /** All rows of the file, usable or not. */
  readonly pairs: number;
  readonly problems: readonly RowProblem[];
  /** Pairs with an answer cut at the limit. */
  readonly cutAnswers: number;
  readonly maxTokens: number;
}

/** How many rows were left out for each reason; reasons that did not occur are absent. */
export function countProblems(problems: readonly RowProblem[]): ReadonlyMap<ProblemKind, number> {
  const counts = new Map<ProblemKind, number>();
  for (const { kind } of problems) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** The sentence of message DAT-2, or null when no pair needs a look. */
export function healthSentence({ pairs, problems, cutAnswers, maxTokens }: HealthReport): string | null {
  const total = problems.length + cutAnswers;
  if (total === 0) return null;
  const counts = countProblems(problems);
  const parts: string[] = [];
  for (const [kind, words] of PROBLEM_WORDS) {
    const count = counts.get(kind) ?? 0;
    if (count > 0) parts.push(`${count} ${words}`);
  }
  if (cutAnswers > 0) parts.push(`${cutAnswers} cut at ${maxTokens} tokens`);
  return `${total} of ${pairs} pairs ${total === 1 ? "needs" : "need"} a look: ${parts.join(", ")}.`;
}
