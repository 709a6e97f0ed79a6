import { expect, it } from "vitest";
import { afterOnlineEvaluation, afterRound, onlineEvaluationSentence, roundSentence } from "./toldRounds.ts";
import { testOnlineEvaluations, testRounds } from "./testOnlineAnswers.ts";

const [first, second] = [testRounds[0]!, testRounds[1]!];
const nothing = { rounds: [], onlineEvaluations: [], marks: [], version: 3 };

it("marks a round where it begins, once", () => {
  expect(afterRound(first, nothing).marks).toEqual([]);
  const told = afterRound({ ...second, isOver: false }, { ...nothing, rounds: [first] });
  expect(told).toEqual({
    rounds: [first, { ...second, isOver: false }],
    marks: [{ step: 20, label: "Round 2" }],
    version: 4,
  });
  const over = afterRound(second, { ...nothing, ...told });
  expect(over.rounds).toEqual([first, second]);
  expect(over.marks).toHaveLength(1);
});

it("forgets what was told of later rounds before the run was taken back", () => {
  const both = { ...nothing, rounds: [first, second], onlineEvaluations: testOnlineEvaluations };
  expect(afterRound(first, both).rounds).toEqual([first]);
  expect(afterOnlineEvaluation(testOnlineEvaluations[1]!, both).onlineEvaluations).toEqual(
    testOnlineEvaluations.slice(0, 2),
  );
});

it("says in the log what a round trains on, what failed, and why a run ends", () => {
  const failures = [{ judge: "J", prompt: "p", answer: "a", reason: "NaN" }];
  expect(roundSentence({ ...second, isOver: false, failures })).toBe(
    "Round 2 trains on 1 pairs; 1 of 2 prompts were answered anew. Judges could not score 1 answers.",
  );
  expect(roundSentence(second)).toBe("Round 2 is over.");
  expect(roundSentence({ ...second, isOver: false, isSettled: false, failures })).toBe(
    "Judges could not score 1 answers of round 2.",
  );
  const evaluated = { ...testOnlineEvaluations[1]!, failures: [{ judge: "J", reason: "busy", answers: 3 }] };
  expect(onlineEvaluationSentence(evaluated)).toBe("J could not score 3 held-out answers: busy");
  expect(onlineEvaluationSentence(testOnlineEvaluations[2]!)).toBeNull();
  expect(onlineEvaluationSentence({ ...testOnlineEvaluations[2]!, endsRun: true })).toMatch(/after round 2/);
});
