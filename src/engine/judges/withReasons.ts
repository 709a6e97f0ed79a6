import type { AnswerJudge, Verdict } from "./answerJudge.ts";

/** Characters of a reason that are kept: it is shown in a line, once for every answer. */
const LONGEST_REASON = 300;

/**
 * A judge whose every failure is a verdict: what throws, rejects or answers with another number of verdicts fails for all
 * answers, a score that is no finite number for its own. Rejects with the signal's reason alone, and only once the judge
 * itself has let go.
 */
export function withReasons(judge: AnswerJudge): AnswerJudge {
  return {
    ...judge,
    score: async (answers, signal) => {
      signal.throwIfAborted();
      const given = await attempt(judge, answers, signal);
      signal.throwIfAborted();
      if (typeof given === "string") return answers.map(() => ({ reason: given }));
      if (given.length === answers.length) return Array.from(given, checked);
      // Which verdict belongs to which answer is not known any more.
      const reason = `The judge gave ${given.length} verdicts for ${answers.length} answers.`;
      return answers.map(() => ({ reason }));
    },
  };
}

/** What was thrown, as a reason. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : typeof error === "string" ? error : "";
  return message.trim() === "" ? "The judge failed without a reason." : message.slice(0, LONGEST_REASON);
}

/** The verdicts, or why there are none. */
async function attempt(
  judge: AnswerJudge,
  ...[answers, signal]: Parameters<AnswerJudge["score"]>
): Promise<readonly Verdict[] | string> {
  try {
    const given: unknown = await judge.score(answers, signal);
    return Array.isArray(given) ? (given as Verdict[]) : "The judge gave no list of verdicts.";
  } catch (error) {
    return reasonOf(error);
  }
}

/** A verdict as it came, or why it is none. */
function checked(given: unknown): Verdict {
  const { score, reason } = (given ?? {}) as { score?: unknown; reason?: unknown };
  // JSON, in which scores are kept, knows no negative zero.
  if (typeof score === "number" && Number.isFinite(score)) return { score: score === 0 ? 0 : score };
  if (reason !== undefined) return { reason: reasonOf(reason) };
  const what = typeof score === "number" ? String(score) : `what is ${typeof score}`;
  return { reason: `The judge gave ${what} in place of a score.` };
}
