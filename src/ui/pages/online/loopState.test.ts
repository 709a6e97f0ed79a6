import { expect, it } from "vitest";
import { testDescription } from "../../../state/testDescription.ts";
import { testOnlineEvaluations, testRounds } from "../../../state/testOnlineAnswers.ts";
import { loopState, planSentence, roundNow } from "./loopState.ts";

const [first, second] = testRounds as [(typeof testRounds)[0], (typeof testRounds)[0]];
const run = {
  phase: "generating",
  step: 0,
  progress: null,
  rounds: [],
  onlineEvaluations: [],
  judgement: null,
} as const satisfies Parameters<typeof loopState>[0];

it("counts the round under way by the newest record: the same until it is over, then the next", () => {
  expect(roundNow([], 3)).toBe(1);
  expect(roundNow([{ ...first, isOver: false }], 3)).toBe(1);
  expect(roundNow([first], 3)).toBe(2);
  expect(roundNow([first, second], 2)).toBe(2);
});

it("says what is being done with its count", () => {
  const state = loopState({ ...run, rounds: [first], progress: { done: 40, total: 96 } }, 3);
  expect(state.stage).toBe("generate");
  expect(state.sentence).toBe("Round 2 of 3 – drawing 40 of 96 answers");
  expect(loopState({ ...run, phase: "judging", progress: { done: 1, total: 2 } }, 3)).toMatchObject({
    stage: "score",
    sentence: "Round 1 of 3 – scoring 1 of 2 answers",
  });
});

it("lights the stage of every phase in which the trainer works", () => {
  const stageOf = (phase: Parameters<typeof loopState>[0]["phase"]) => loopState({ ...run, phase }, 3).stage;
  expect(
    (["generating", "judging", "caching-ref", "training", "evaluating", "done", "ready"] as const).map(
      stageOf,
    ),
  ).toEqual(["generate", "score", "select", "train", "evaluate", null, null]);
});

it("says that a person is waited for", () => {
  const judgement = { id: 1, groups: [{ prompt: "p", answers: ["a", "b"] }] };
  expect(loopState({ ...run, phase: "judging", judgement }, 3).sentence).toContain(
    "waiting for your judgement of 1 prompt",
  );
});

it("shows a paused round at the judges when they failed, at its steps when its pairs are there", () => {
  const failure = { judge: "j", prompt: "p", answer: "a", reason: "NaN" };
  const paused = (record: typeof first) => loopState({ ...run, phase: "paused", rounds: [record] }, 3).stage;
  expect(paused({ ...first, isOver: false, failures: [failure] })).toBe("score");
  expect(paused({ ...first, isOver: false })).toBe("train");
  // A run that went on without the answers has taken steps by the time it is paused again.
  const later = {
    ...run,
    step: 5,
    phase: "paused",
    rounds: [{ ...first, isOver: false, failures: [failure] }],
  } as const;
  expect(loopState(later, 3).stage).toBe("train");
  expect(paused(first)).toBeNull();
});

it("says why a run ended early", () => {
  const ended = {
    ...run,
    phase: "done",
    rounds: testRounds,
    onlineEvaluations: testOnlineEvaluations,
  } as const;
  expect(loopState(ended, 2).sentence).toBe("Done after 2 of 2 rounds");
  const last = { ...testOnlineEvaluations[2]!, endsRun: true };
  expect(loopState({ ...ended, onlineEvaluations: [last] }, 5).sentence).toBe(
    "Ended after round 2 of 5: the held-out judge had fallen",
  );
});

it("plans the answers: all prompts first, ⌈ρ · prompts⌉ in later rounds", () => {
  const config = {
    ...testDescription.presets[0]!.config,
    rounds: 3,
    onlinePrompts: 65,
    regeneratedShare: 0.5,
    answersPerPrompt: 4,
  };
  expect(planSentence(config, 512)).toBe(
    "3 rounds over 65 prompts: the first draws 260 answers, each later one 132. 60 steps in all.",
  );
  expect(planSentence({ ...config, onlinePrompts: 0, firstPairs: "data" }, 10)).toContain(
    "10 prompts: the first trains on the set’s own pairs, each later one 20",
  );
  expect(planSentence({ ...config, rounds: 0 }, 512)).toBeNull();
});
