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
  onlineEvaluations: testOnlineEvaluations.slice(0, 1),
  judgement: null,
} as const satisfies Parameters<typeof loopState>[0];

it("counts the round under way by the newest that was reached: the same until it is over, then the next", () => {
  const at = (rounds: readonly (typeof first)[], step: number, total = 3) =>
    roundNow({ rounds, step }, total);
  expect(at([], 0)).toBe(1);
  expect(at([{ ...first, isOver: false }], 4)).toBe(1);
  expect(at([first], 20)).toBe(2);
  expect(at([first, second], 40, 2)).toBe(2);
  // Taken back into the first round, the run has yet to reach the second.
  expect(at([{ ...first, isOver: false }, second], 10)).toBe(1);
});

it("says what is being done with its count", () => {
  const state = loopState({ ...run, step: 20, rounds: [first], progress: { done: 40, total: 96 } }, 3);
  expect(state.stage).toBe("generate");
  expect(state.sentence).toBe("Round 2 of 3 – drawing 40 of 96 answers");
  expect(loopState({ ...run, phase: "judging", progress: { done: 1, total: 2 } }, 3)).toMatchObject({
    stage: "score",
    sentence: "Round 1 of 3 – scoring answers, 1 of 2 scores given",
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

it("tells answers to held-out prompts from those of a round", () => {
  const progress = { done: 2, total: 32 };
  expect(loopState({ ...run, progress, onlineEvaluations: [] }, 3)).toMatchObject({
    stage: "evaluate",
    sentence: "Before the first round – drawing 2 of 32 held-out answers",
  });
  // The steps of the first round are taken, and it is not over.
  const after = { ...run, progress, step: 20, rounds: [{ ...first, isOver: false }] };
  expect(loopState(after, 3).sentence).toBe("Round 1 of 3 – drawing 2 of 32 held-out answers");
  expect(loopState({ ...after, phase: "judging" }, 3).stage).toBe("evaluate");
  // Judges that are asked again before the first step of a round, and the next round.
  expect(loopState({ ...after, phase: "judging", step: 0 }, 3).stage).toBe("score");
  expect(loopState({ ...after, rounds: [first] }, 3).stage).toBe("generate");
});

it("says that a person is waited for", () => {
  const judgement = { id: 1, groups: [{ prompt: "p", answers: ["a", "b"] }] };
  expect(loopState({ ...run, phase: "judging", judgement }, 3).sentence).toContain(
    "waiting for your judgement of 1 prompt",
  );
});

it("shows a paused round at the judges when they failed, at its steps when its pairs are there", () => {
  const failure = { judge: "j", prompt: "p", answer: "a", reason: "NaN" };
  const paused = (record: typeof first) =>
    loopState({ ...run, step: record.step, phase: "paused", rounds: [record] }, 3).stage;
  expect(paused({ ...first, isSettled: false, isOver: false, failures: [failure] })).toBe("score");
  expect(paused({ ...first, isOver: false, failures: [failure] })).toBe("train");
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
