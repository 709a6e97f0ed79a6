import { expect, it } from "vitest";
import { emptyRoundMessage } from "./emptyRound.ts";
import type { PromptOutcome } from "./roundRecord.ts";

const outcomesOf = (...reasons: PromptOutcome["reason"][]): PromptOutcome[] =>
  reasons.map((reason) => ({ prompt: "p", isRegenerated: true, before: null, now: null, reason }));

it("counts every reason, the commonest first, and advises against that one", () => {
  const outcomes = outcomesOf("emptyAnswers", "equalTexts", "judgeFailed", "equalTexts");
  expect(emptyRoundMessage({ round: 1, outcomes, failures: 3 }, { firstPairs: "data" })).toBe(
    "Round 2 has no pair to train on: of 4 prompts 2 have answers that are the same text, 1 have fewer than two answers with a text, 1 have answers that judges could not score. 3 answers could not be scored. Draw more answers at a higher temperature.",
  );
});

it("sends a first round that takes the set's pairs to drawn ones", () => {
  const told = { round: 0, outcomes: outcomesOf("", ""), failures: 0 };
  expect(emptyRoundMessage(told, { firstPairs: "data" })).toBe(
    "Round 1 has no pair to train on: of 2 prompts 2 have no pair in the data set. Let the first round draw its answers instead of taking the set's pairs.",
  );
});
