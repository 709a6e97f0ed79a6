/** A person's choices about groups of answers, against a trainer that answers as told. */
import { beforeEach, expect, it } from "vitest";
import type { JudgementQuestion } from "../worker/protocol.ts";
import { configureTrainer, openTrainer } from "./connection.ts";
import {
  chooseAnswer,
  chooseNone,
  nextGroup,
  sendJudgement,
  undoChoice,
  useJudgementStore,
} from "./judgement.ts";
import { applyEvent, beginRun, rewindRun, useRunStore } from "./runStore.ts";
import { TestTrainer } from "./testTrainer.ts";

const question: JudgementQuestion = {
  id: 5,
  groups: [
    { prompt: "two", answers: ["a", "b"] },
    { prompt: "three", answers: ["a", "b", "c"] },
    { prompt: "equal", answers: ["a", "b"] },
  ],
};
let trainer: TestTrainer;
const state = () => useJudgementStore.getState();
const ask = (asked: JudgementQuestion | null) =>
  applyEvent({ type: "judgement", runId: "run", question: asked });

beforeEach(() => {
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  beginRun("run");
  useRunStore.setState({ phase: "judging" });
  ask(question);
});

function decideAll(): void {
  chooseAnswer(1);
  chooseAnswer(2);
  chooseAnswer(0);
  chooseNone();
}

it("takes one choice of two answers, best and worst of more, and sends places", async () => {
  decideAll();
  expect(state().choices).toEqual([{ best: 1, worst: 0 }, { best: 2, worst: 0 }, null]);
  expect(nextGroup(state())).toBeNull();
  await sendJudgement();
  expect(trainer.questions("giveJudgement")).toEqual([
    { id: 5, choices: [{ best: 1, worst: 0 }, { best: 2, worst: 0 }, null] },
  ]);
  expect(state().question).toBeNull();
  expect(useRunStore.getState().judgement).toBeNull();
});

it("takes no answer twice, none that is not there, and sends nothing before the end", async () => {
  chooseAnswer(2);
  expect(state().choices).toEqual([]);
  chooseAnswer(0);
  chooseAnswer(1);
  chooseAnswer(1);
  expect(state()).toMatchObject({ best: 1, choices: [{ best: 0, worst: 1 }] });
  await sendJudgement();
  expect(trainer.questions("giveJudgement")).toEqual([]);
});

it("takes back the best of a group first, and then the group before", () => {
  chooseAnswer(0);
  chooseAnswer(1);
  undoChoice();
  expect(state()).toMatchObject({ best: null, choices: [{ best: 0, worst: 1 }] });
  undoChoice();
  expect(state().choices).toEqual([]);
  undoChoice();
  expect(state().choices).toEqual([]);
});

it("keeps the choices when the trainer does not take them", async () => {
  trainer.refusals.set("giveJudgement", { name: "X", code: "CFG-1", message: "Too late.", details: {} });
  decideAll();
  await sendJudgement();
  expect(state()).toMatchObject({ refusal: "Too late.", isSending: false, choices: { length: 3 } });
});

it.each([
  ["the trainer withdraws it", () => ask(null)],
  ["the run stops", () => useRunStore.setState({ phase: "stopped" })],
  ["another run begins", () => beginRun("other")],
  [
    "the run is taken back",
    () => rewindRun({ runId: "run", step: 0, activeMs: 0, tensors: {}, rounds: null }),
  ],
  ["another question takes its place", () => ask({ ...question, id: 6 })],
])("forgets what was chosen when %s", (_, happen) => {
  chooseAnswer(0);
  happen();
  expect(state().choices).toEqual([]);
  expect(state().question?.id).not.toBe(5);
});
