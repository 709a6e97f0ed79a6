/** What becomes of the run's state when the trainer tells of its rounds. */
import type { OnlineEvaluation, RoundRecord } from "../worker/protocol.ts";
import type { RunState } from "./runStore.ts";

type Rounds = Pick<RunState, "rounds" | "onlineEvaluations" | "marks" | "version">;

/** A round as it is told, in place of what was told of it and of later ones; charts mark where it begins. */
export function afterRound(record: RoundRecord, { rounds, marks, version }: Rounds): Partial<RunState> {
  // Where the first begins, nobody needs to be told.
  const isMarked = record.step === 0 || rounds.some(({ round }) => round === record.round);
  const mark = { step: record.step, label: `Round ${record.round + 1}` };
  return {
    rounds: [...rounds.filter(({ round }) => round < record.round), record],
    marks: isMarked ? marks : [...marks, mark],
    version: version + 1,
  };
}

/** Answers to held-out prompts after so many rounds, in place of those that were told before and of later ones. */
export function afterOnlineEvaluation(
  evaluation: OnlineEvaluation,
  { onlineEvaluations, version }: Rounds,
): Partial<RunState> {
  const earlier = onlineEvaluations.filter(({ rounds }) => rounds < evaluation.rounds);
  return { onlineEvaluations: [...earlier, evaluation], version: version + 1 };
}

/** What the log keeps of a round: that judges failed, what it trains on once that is known, and that it is over. */
export function roundSentence({ round, prompts, failures, isSettled, isOver }: RoundRecord): string {
  const name = `Round ${round + 1}`;
  if (!isSettled && failures.length > 0) {
    return `Judges could not score ${failures.length} answers of round ${round + 1}.`;
  }
  if (!isSettled) return `${name} has no pair to train on.`;
  if (isOver) return `${name} is over.`;
  const drawn = prompts.filter(({ isRegenerated }) => isRegenerated).length;
  const pairs = prompts.filter(({ now }) => now !== null).length;
  const failed = failures.length === 0 ? "" : ` Judges could not score ${failures.length} answers.`;
  return `${name} trains on ${pairs} pairs; ${drawn} of ${prompts.length} prompts were answered anew.${failed}`;
}

/** What the log keeps of an evaluation: what judges could not score, and that the run ends; null where neither is so. */
export function onlineEvaluationSentence({ endsRun, rounds, failures }: OnlineEvaluation): string | null {
  const failed = failures.map(
    ({ judge, reason, answers }) => `${judge} could not score ${answers} held-out answers: ${reason}`,
  );
  const sentences = [...failed, ...(endsRun ? [endSentence(rounds)] : [])];
  return sentences.length === 0 ? null : sentences.join(" ");
}

function endSentence(rounds: number): string {
  return `The held-out judge has fallen for as many rounds as the setup allows: the run ends after round ${rounds}.`;
}
