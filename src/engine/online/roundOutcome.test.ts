import { describe, expect, it } from "vitest";
import { roundMetrics } from "./roundMetrics.ts";
import { roundOutcome } from "./roundOutcome.ts";
import type { DrawnAnswer, StoredPair } from "./roundsState.ts";

const stored = (chosenScore: number, rejectedScore: number): StoredPair => ({
  chosen: "old best",
  rejected: "old worst",
  chosenScore,
  rejectedScore,
  drawnIn: 0,
  chosenIds: [1],
  rejectedIds: [2],
});

const prompts = ["a", "b", "c", "d"].map((text) => ({
  text,
  ids: Int32Array.of(1),
  pair: null,
  chosen: "",
  rejected: "",
}));

const drawn = (prompt: number, text: string): DrawnAnswer => ({ prompt, ids: [7, 8], text });

/**
 * Round 1 draws prompts 0, 1 and 2: 0 gets a pair of 1 and 0 in place of 0.5 and −0.5, 1 gets equal scores, the judge knows
 * only one answer of 2. Prompt 3 is left.
 */
const before = [stored(0.5, -0.5), stored(0.2, 0), stored(0.9, 0.7), stored(2, 1)];
const answers = [drawn(0, "x"), drawn(0, "y"), drawn(1, "x"), drawn(1, "y"), drawn(2, "x"), drawn(2, "y")];
const scores = [0, 1, 0.4, 0.4, null, 3];
const state = { round: 1, stored: before, answers, drawn: [0, 1, 2] };

describe("roundOutcome", () => {
  const { outcomes, stored: now } = roundOutcome(prompts, state, { scores, isOfSet: false });

  it("stores the best and the worst of new answers", () => {
    expect(now[0]).toEqual({
      chosen: "y",
      rejected: "x",
      chosenScore: 1,
      rejectedScore: 0,
      drawnIn: 1,
      chosenIds: [7, 8],
      rejectedIds: [7, 8],
    });
    expect(outcomes[0]).toMatchObject({ isRegenerated: true, reason: "", before: { chosenScore: 0.5 } });
    expect(outcomes[0]?.now).not.toHaveProperty("chosenIds");
  });

  it("has no pair of answers that are alike, keeps the old one of those not scored, and leaves the others", () => {
    expect(now.slice(1)).toEqual([null, before[2], before[3]]);
    expect(outcomes.map(({ reason }) => reason)).toEqual(["", "equalScores", "judgeFailed", ""]);
    expect(outcomes.map(({ isRegenerated }) => isRegenerated)).toEqual([true, true, true, false]);
  });

  it("keeps the labels of the set's own pairs against their scores, and leaves out those not scored", () => {
    const nothing = prompts.map(() => null);
    const first = { round: 0, stored: nothing, answers, drawn: [] };
    const found = roundOutcome(prompts, first, { scores, isOfSet: true });
    expect(found.stored).toEqual([
      {
        chosen: "x",
        rejected: "y",
        chosenScore: 0,
        rejectedScore: 1,
        drawnIn: -1,
        chosenIds: [],
        rejectedIds: [],
      },
      expect.objectContaining({ chosenScore: 0.4, rejectedScore: 0.4 }),
      null,
      null,
    ]);
    expect(found.outcomes.map(({ reason }) => reason)).toEqual(["", "", "judgeFailed", ""]);
  });
});

describe("roundMetrics", () => {
  it("measures scores by prompt, and gains where one pair took the place of another", () => {
    const { outcomes } = roundOutcome(prompts, state, { scores, isOfSet: false });
    const verdicts = scores.map((score) => (score === null ? { reason: "?" } : { score: 2 * score }));
    const measured = roundMetrics({
      round: 1,
      keys: [0, 0.1, 0.8, 1.5],
      outcomes,
      answers,
      scores,
      judges: [{ label: "twice", verdicts }],
    });
    expect(measured).toEqual({
      "online/round": 1,
      "online/regenerated_share": 0.75,
      // (1 + 0) / 2 − (0.5 − 0.5) / 2, of prompt 0 alone, which is of the lower half.
      "online/score_gain": 0.5,
      "online/gain_lowest_half": 0.5,
      // Means of the prompts: 0.5, 0.4 and 3.
      "judge/score": 1.3,
      "judge/twice": 2.6,
      // 1 and 0 of prompts 0 and 1; prompt 2 has one score.
      "judge/score_margin": 0.5,
    });
  });
});
