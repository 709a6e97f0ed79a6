import { expect, it } from "vitest";
import { testRounds } from "../../../state/testOnlineAnswers.ts";
import { costSentence, drawingShareOf, regeneratedShare, speedUp } from "./roundCosts.ts";

const [full, partial] = testRounds as [(typeof testRounds)[0], (typeof testRounds)[0]];

it("predicts and measures the speed-up of the test rounds", () => {
  // Round 1: 3 + 0.2 + 0.4 + 1.5 = 5.1 s, of which 3.2 are drawing and scoring: g = 0.6275. Round 2 draws one of two
  // prompts: 1 / (1 − 0.6275 · 0.5) = 1.4571; its 1.5 + 0.1 + 0.4 + 1.5 = 3.5 s are 5.1 / 3.5 = 1.4571 times as fast.
  const found = speedUp(testRounds)!;
  expect(found.drawingShare).toBeCloseTo(3.2 / 5.1, 12);
  expect(found.regeneratedShare).toBe(0.5);
  expect(found.predicted).toBeCloseTo(5.1 / 3.5, 12);
  expect(found.measured).toBeCloseTo(5.1 / 3.5, 12);
});

it("takes the published pairs: 1.56 at ρ 0.5 for g 0.72, 1.27 at ρ 0.7 for g 0.71", () => {
  const rounds = (g: number, drawn: number) => {
    const prompt = full.prompts[0]!;
    const seconds = { generate: g, score: 0, reference: 0, train: 1 - g, evaluate: 9 };
    const prompts = Array.from({ length: 10 }, (_, index) => ({ ...prompt, isRegenerated: index < drawn }));
    return [
      { ...full, seconds, prompts: prompts.map((each) => ({ ...each, isRegenerated: true })) },
      { ...partial, seconds, prompts },
    ];
  };
  expect(speedUp(rounds(0.72, 5))!.predicted).toBeCloseTo(1.56, 2);
  expect(speedUp(rounds(0.71, 7))!.predicted).toBeCloseTo(1.27, 2);
  // Both rounds took the same time, whatever the formula says.
  expect(speedUp(rounds(0.72, 5))!.measured).toBe(1);
});

it("leaves out rounds under way and the evaluation, and says when there is nothing to compare", () => {
  expect(speedUp([full, { ...partial, isOver: false }])).toBeNull();
  expect(speedUp([partial])).toBeNull();
  // A first round that took the set's own pairs drew nothing.
  const ofSet = { ...full, prompts: full.prompts.map((prompt) => ({ ...prompt, isRegenerated: false })) };
  expect(speedUp([ofSet, { ...full, round: 1 }])).toBeNull();
  expect(drawingShareOf([])).toBeNull();
  expect(regeneratedShare({ ...full, prompts: [] })).toBe(0);
  expect(costSentence([{ ...full, isOver: false }])).toContain("No round is over yet");
  expect(costSentence([full])).toContain("every round so far drew all prompts");
  expect(costSentence([partial])).toContain("no round drew all prompts");
});

it("fills the formula with the measured numbers", () => {
  const sentence = costSentence(testRounds);
  expect(sentence).toContain("g = 0.63");
  expect(sentence).toContain("1 / (1 − 0.63 · (1 − 0.50)) = 1.46 times as fast; measured: 1.46 times");
  expect(sentence).toContain("The only full round is the first");
  expect(costSentence([...testRounds, { ...full, round: 2 }])).not.toContain("The only full round");
  expect(sentence).toContain("180 tokens were drawn and 60 saved");
});
