/** What became of the prompts of a round, filtered and sorted for the list. */
import type { PromptOutcome, ScoredPair } from "../../../worker/protocol.ts";

/** What became of a prompt: a new pair, the stored one, or no new one although it was drawn or had none. */
export type PromptFate = "regenerated" | "kept" | "dropped";

/** A prompt of the list. */
export interface PromptRow {
  /** Place in the round, from 0 on. */
  readonly place: number;
  readonly outcome: PromptOutcome;
  readonly fate: PromptFate;
  /** Mean score of the two answers that the round trains on. */
  readonly score: number | null;
  /** That mean less the one before; null where the prompt has no new pair or had none before. */
  readonly change: number | null;
}

/** Which prompts are listed, and in what order. */
export interface PromptFilter {
  readonly fate: PromptFate | "all";
  /** Found in the prompt or an answer, whatever its case. */
  readonly search: string;
  readonly sortBy: "place" | "change" | "score";
  readonly isDescending: boolean;
}

/** Every prompt in the order of the round. */
export const everyPrompt: PromptFilter = { fate: "all", search: "", sortBy: "place", isDescending: false };

/** A prompt with what the list says of it. */
export function promptRow(outcome: PromptOutcome, place: number): PromptRow {
  const { before, now } = outcome;
  const fate = fateOf(outcome);
  const score = now === null ? null : meanScore(now);
  const change =
    fate !== "regenerated" || before === null || score === null ? null : score - meanScore(before);
  return { place, outcome, fate, score, change };
}

/** Mean score of a pair's two answers. */
export function meanScore({ chosenScore, rejectedScore }: ScoredPair): number {
  return (chosenScore + rejectedScore) / 2;
}

function fateOf({ isRegenerated, now, reason }: PromptOutcome): PromptFate {
  if (now === null || reason !== "") return "dropped";
  return isRegenerated ? "regenerated" : "kept";
}

/** How many prompts have each fate. */
export function countFates(rows: readonly PromptRow[]): Record<PromptFate, number> {
  const counts = { regenerated: 0, kept: 0, dropped: 0 };
  for (const { fate } of rows) counts[fate] += 1;
  return counts;
}

/** The rows that a filter leaves, in its order; rows without the number sorted by come last. */
export function filterPrompts(rows: readonly PromptRow[], filter: PromptFilter): PromptRow[] {
  const wanted = filter.search.trim().toLowerCase();
  const left = rows.filter(
    ({ fate, outcome }) =>
      (filter.fate === "all" || fate === filter.fate) &&
      (wanted === "" || textsOf(outcome).some((text) => text.toLowerCase().includes(wanted))),
  );
  const direction = filter.isDescending ? -1 : 1;
  return left.sort((a, b) => {
    const [mine, other] = [a[filter.sortBy], b[filter.sortBy]];
    if (mine === null || other === null) {
      return Number(mine === null) - Number(other === null) || a.place - b.place;
    }
    return (mine - other) * direction || a.place - b.place;
  });
}

function textsOf({ prompt, before, now }: PromptOutcome): string[] {
  const pairs = [before, now].filter((pair) => pair !== null);
  return [prompt, ...pairs.flatMap(({ chosen, rejected }) => [chosen, rejected])];
}
