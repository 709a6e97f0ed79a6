/** What is said where a round has nothing to train on. */
import type { RunConfig } from "../training/config.ts";
import type { PromptOutcome } from "./roundRecord.ts";
import { takesSetPairs } from "./roundOutcome.ts";

/** A round has nothing to train on. */
export class EmptyRoundError extends Error {
  override name = "EmptyRoundError";
}

/** Reasons in words; a prompt without any has no pair of its own in the set. */
const words: { readonly [Reason in PromptOutcome["reason"]]: string } = {
  equalScores: "have answers of equal scores",
  equalTexts: "have answers that are the same text",
  judgeFailed: "have answers that judges could not score",
  emptyAnswers: "have fewer than two answers with a text",
  "": "have no pair in the data set",
};

/** Says why no prompt of a round has a pair, and what to change. */
export function emptyRoundMessage(
  { round, outcomes, failures }: { round: number; outcomes: readonly PromptOutcome[]; failures: number },
  config: Pick<RunConfig, "firstPairs">,
): string {
  const counts = new Map<PromptOutcome["reason"], number>();
  for (const { reason } of outcomes) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].sort(([, a], [, b]) => b - a);
  const told = reasons.map(([reason, count]) => `${count} ${words[reason]}`).join(", ");
  const failed = failures === 0 ? "" : ` ${failures} answers could not be scored.`;
  const [most = ""] = reasons[0] ?? [];
  const remedy = advice(most, takesSetPairs(config, round));
  return `Round ${round + 1} has no pair to train on: of ${outcomes.length} prompts ${told}.${failed} ${remedy}`;
}

function advice(reason: PromptOutcome["reason"], isOfSet: boolean): string {
  if (reason === "judgeFailed") return "Resume the run to ask the judges again, or choose other judges.";
  if (isOfSet) return "Let the first round draw its answers instead of taking the set's pairs.";
  if (reason === "equalScores") {
    return "Choose judges that tell these answers apart, or draw more answers at a higher temperature.";
  }
  if (reason === "equalTexts") return "Draw more answers at a higher temperature.";
  return "Draw longer answers, or choose prompts that leave room for an answer.";
}
