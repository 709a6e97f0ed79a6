import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { offerAutomation } from "./automation.ts";
import { boot } from "./boot.ts";
import { history, useRunStore } from "./runStore.ts";
import { testOnlineEvaluations, testRounds } from "./testOnlineAnswers.ts";
import { TestTrainer } from "./testTrainer.ts";

const trainer = new TestTrainer();

beforeEach(() => {
  vi.useFakeTimers();
  history.clear();
  vi.stubGlobal("location", { hash: "", href: "http://localhost/" });
  vi.stubGlobal("navigator", { userAgent: "test" });
  vi.stubGlobal("document", { querySelector: () => null });
  vi.stubGlobal("window", { addEventListener: () => undefined, history: { replaceState: () => undefined } });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("records the rounds of a run and its held-out answers, each as it was told last", async () => {
  const booted = boot({ createPort: () => trainer.port, search: "?cli=1", isSecure: true });
  offerAutomation("?cli=1", booted);
  await booted;
  const told: number[] = [];
  const training = window.prefscope!.train({ rounds: 2, steps: 40 }, ({ step }) => told.push(step));
  await vi.advanceTimersByTimeAsync(300);
  const runId = useRunStore.getState().runId!;
  const sayPhase = (phase: "training" | "done", step: number) => {
    trainer.say({ type: "phase", runId, phase, step, progress: null });
  };
  sayPhase("training", 0);
  // A round is told when its pairs are there, and again when its steps are taken.
  const [first, second] = [testRounds[0]!, testRounds[1]!];
  trainer.say({ type: "onlineEvaluation", runId, evaluation: testOnlineEvaluations[0]! });
  trainer.say({ type: "round", runId, record: { ...first, isOver: false } });
  trainer.say({ type: "round", runId, record: first });
  trainer.say({ type: "round", runId, record: second });
  trainer.say({ type: "onlineEvaluation", runId, evaluation: testOnlineEvaluations[1]! });
  trainer.say({ type: "onlineEvaluation", runId: "another", evaluation: testOnlineEvaluations[2]! });
  trainer.say({ type: "steps", runId, steps: [{ step: 40, activeMs: 9000, metrics: { loss: 0.5 } }] });
  sayPhase("done", 40);
  const record = await training;
  expect(record.rounds).toEqual([first, second]);
  expect(record.onlineEvaluations).toEqual(testOnlineEvaluations.slice(0, 2));
  expect(record.config).toMatchObject({ rounds: 2, steps: 40 });
  expect(record.steps).toEqual([{ step: 40, active_ms: 9000, loss: 0.5 }]);
  expect(told.at(-1)).toBe(40);
});
