/** The numbers of a round, by the names of its record. */
import type { Verdict } from "../judges/answerJudge.ts";
import { meanOf } from "./intervals.ts";
import type { PromptOutcome } from "./roundRecord.ts";
import type { DrawnAnswer } from "./roundsState.ts";
import { rankedPrompts, rankingKeyOf } from "./selection.ts";

/** What a round is measured by. */
export interface MeasuredRound {
  readonly round: number;
  /** By prompt: keys of the stored pairs before the round; −Infinity where there was none. */
  readonly keys: readonly number[];
  readonly outcomes: readonly PromptOutcome[];
  readonly answers: readonly DrawnAnswer[];
  /** Combined score of every answer. */
  readonly scores: readonly (number | null)[];
  readonly judges: readonly { readonly label: string; readonly verdicts: readonly (Verdict | null)[] }[];
}

/**
 * `online/…` and `judge/…` of a round; what was not measured is absent. Scores are those of the round's answers, gains those
 * of prompts that have a new pair in place of another: the new mean of both scores less the old one.
 */
export function roundMetrics(measured: MeasuredRound): Record<string, number> {
  const { round, outcomes } = measured;
  const drawn = outcomes.filter(({ isRegenerated }) => isRegenerated).length;
  const { lowest, highest } = halves(measured.keys);
  const names: Record<string, number | null> = {
    "online/round": round,
    "online/regenerated_share": drawn / outcomes.length,
    "online/score_gain": meanGain(outcomes),
    "online/gain_lowest_half": meanGain(lowest.flatMap((prompt) => outcomes[prompt] ?? [])),
    "online/gain_highest_half": meanGain(highest.flatMap((prompt) => outcomes[prompt] ?? [])),
    ...answerScores(measured),
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
  );
}

/** The lower and the upper half of the prompts that have a pair; one in the middle belongs to neither. */
function halves(keys: readonly number[]): { readonly lowest: number[]; readonly highest: number[] } {
  const ranked = rankedPrompts(keys).filter((prompt) => Number.isFinite(keys[prompt]));
  const half = Math.floor(ranked.length / 2);
  return { lowest: ranked.slice(0, half), highest: ranked.slice(ranked.length - half) };
}

function meanGain(outcomes: readonly PromptOutcome[]): number | null {
  return meanOf(
    outcomes.flatMap(({ isRegenerated, before, now, reason }) =>
      isRegenerated && before !== null && now !== null && reason === ""
        ? [rankingKeyOf(now, "mean") - rankingKeyOf(before, "mean")]
        : [],
    ),
  );
}

/** Means over the prompts of their mean score, and of best − worst where a prompt has two scores. */
function answerScores({ answers, scores, judges }: MeasuredRound): Record<string, number | null> {
  const byPrompt = (values: readonly (number | null)[]) => {
    const found = new Map<number, number[]>();
    answers.forEach(({ prompt }, place) => {
      const value = values[place] ?? null;
      if (value !== null) found.set(prompt, [...(found.get(prompt) ?? []), value]);
    });
    return [...found.values()];
  };
  const meanOfPrompts = (values: readonly (number | null)[]) =>
    meanOf(byPrompt(values).map((some) => meanOf(some) ?? NaN));
  const several = byPrompt(scores).filter((some) => some.length > 1);
  const own = judges.map(({ label, verdicts }) => {
    const values = verdicts.map((verdict) => (verdict !== null && "score" in verdict ? verdict.score : null));
    return [`judge/${label}`, meanOfPrompts(values)] as const;
  });
  return {
    ...Object.fromEntries(own),
    "judge/score": meanOfPrompts(scores),
    "judge/score_margin": meanOf(several.map((some) => Math.max(...some) - Math.min(...some))),
  };
}
