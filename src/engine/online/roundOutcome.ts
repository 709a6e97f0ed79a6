/** What becomes of every prompt once its answers are scored. */
import type { RunConfig } from "../training/config.ts";
import type { OnlinePrompt } from "./onlineSetup.ts";
import { pairAnswers, type Pairing, type RatedAnswer } from "./pairing.ts";
import type { PromptOutcome, ScoredPair } from "./roundRecord.ts";
import type { RoundsState, StoredPair } from "./roundsState.ts";

/** Round that the pairs of the data set count as drawn in. */
const OF_THE_SET = -1;

/** What a round makes of the prompts, by prompt. */
export interface RoundOutcome {
  readonly outcomes: readonly PromptOutcome[];
  readonly stored: readonly (StoredPair | null)[];
}

/** Whether the pairs of a round are the data set's own instead of drawn ones. */
export function takesSetPairs({ firstPairs }: Pick<RunConfig, "firstPairs">, round: number): boolean {
  return round === 0 && firstPairs === "data";
}

/**
 * Pairs the answers of a round by their combined scores. A prompt whose answers could not be scored keeps its stored pair; one
 * whose answers are alike, in score or in text, has none. Pairs of the set stay as they are labelled, whatever their scores.
 */
export function roundOutcome(
  prompts: readonly OnlinePrompt[],
  { round, stored, answers, drawn }: Pick<RoundsState, "round" | "stored" | "answers" | "drawn">,
  { scores, isOfSet }: { readonly scores: readonly (number | null)[]; readonly isOfSet: boolean },
): RoundOutcome {
  const rated = new Map<number, RatedAnswer[]>();
  answers.forEach(({ prompt, ids, text }, place) => {
    const answer = { ids, text, score: scores[place] ?? null };
    rated.set(prompt, [...(rated.get(prompt) ?? []), answer]);
  });
  const isDrawn = new Set(drawn);
  const parts = prompts.map(({ text }, prompt) => {
    const before = stored[prompt] ?? null;
    const own = rated.get(prompt) ?? null;
    const made = own === null ? null : isOfSet ? setPairing(own) : pairAnswers(own);
    const now = own === null || made === null ? before : pairOf(own, made, { round, isOfSet, before });
    const outcome: PromptOutcome = {
      prompt: text,
      isRegenerated: isDrawn.has(prompt),
      before: before === null ? null : withoutIds(before),
      now: now === null ? null : withoutIds(now),
      reason: made !== null && "reason" in made ? made.reason : "",
    };
    return { outcome, now };
  });
  return { outcomes: parts.map(({ outcome }) => outcome), stored: parts.map(({ now }) => now) };
}

/** A pair of the set, the chosen answer first; its answers are compared by no score. */
function setPairing(answers: readonly RatedAnswer[]): Pairing {
  if (answers.length < 2) return { reason: "emptyAnswers" };
  return answers.every(({ score }) => score !== null) ? { best: 0, worst: 1 } : { reason: "judgeFailed" };
}

function pairOf(
  answers: readonly RatedAnswer[],
  made: Pairing,
  { round, isOfSet, before }: { round: number; isOfSet: boolean; before: StoredPair | null },
): StoredPair | null {
  if ("reason" in made) {
    return made.reason === "judgeFailed" || made.reason === "emptyAnswers" ? before : null;
  }
  const [best, worst] = [answers[made.best], answers[made.worst]];
  if (best === undefined || worst === undefined) return before;
  return {
    chosen: best.text,
    rejected: worst.text,
    chosenScore: best.score ?? NaN,
    rejectedScore: worst.score ?? NaN,
    drawnIn: isOfSet ? OF_THE_SET : round,
    chosenIds: isOfSet ? [] : best.ids,
    rejectedIds: isOfSet ? [] : worst.ids,
  };
}

function withoutIds({ chosenIds: _chosen, rejectedIds: _rejected, ...pair }: StoredPair): ScoredPair {
  return pair;
}
