/** Which answers the judges of a round could not score. */
import type { RunState } from "../../../state/runStore.ts";
import type { JudgeFailure } from "../../../worker/protocol.ts";

/** True while a run waits because judges failed: it is paused, and its newest round has not settled for its pairs yet. */
export function waitsForJudges({ phase, rounds }: Pick<RunState, "phase" | "rounds">): boolean {
  const newest = rounds.at(-1);
  return phase === "paused" && newest?.isSettled === false && newest.failures.length > 0;
}

/** What one judge could not score for one reason. */
export interface FailureGroup {
  readonly judge: string;
  readonly reason: string;
  readonly answers: readonly { readonly prompt: string; readonly answer: string }[];
}

/** Failures by judge and reason, those with most answers first. */
export function failureGroups(failures: readonly JudgeFailure[]): FailureGroup[] {
  const groups = new Map<
    string,
    { judge: string; reason: string; answers: FailureGroup["answers"][number][] }
  >();
  for (const { judge, reason, prompt, answer } of failures) {
    const key = JSON.stringify([judge, reason]);
    const group = groups.get(key) ?? { judge, reason, answers: [] };
    group.answers.push({ prompt, answer });
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.answers.length - a.answers.length);
}

/** How many different answers have no score. */
export function answersFailed(failures: readonly JudgeFailure[]): number {
  return new Set(failures.map(({ prompt, answer }) => JSON.stringify([prompt, answer]))).size;
}
