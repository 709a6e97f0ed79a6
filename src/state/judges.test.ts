/** What the default judges stand for, and what changes to the list leave in the configuration. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defaultConfig } from "../engine/training/config.ts";
import type { JudgeSpec } from "../worker/protocol.ts";
import { configureTrainer, openTrainer } from "./connection.ts";
import {
  addJudge,
  ensureJudges,
  judgeKeptAside,
  judgeLabel,
  judgeList,
  judgeProblem,
  judgesInUse,
  keepAside,
  removeJudge,
  resetJudges,
  weighJudge,
} from "./judges.ts";
import { combinedScore, editTrial, tryJudges, useTrialStore } from "./judgeTrial.ts";
import { useSetupStore } from "./setupStore.ts";
import { testDescription } from "./testDescription.ts";
import { testOnlineAnswers } from "./testOnlineAnswers.ts";
import { TestTrainer } from "./testTrainer.ts";

const program: JudgeSpec = { kind: "program", id: "kindEndings" };
const model: JudgeSpec = { kind: "rewardModel", id: "story-kind" };
const length: JudgeSpec = { kind: "length", words: 20 };
const list = testOnlineAnswers.listJudges;
const start = useSetupStore.getState();
const config = () => useSetupStore.getState().config;
const used = (change: Partial<typeof defaultConfig> = {}) =>
  judgesInUse({ config: { ...defaultConfig, ...change }, description: testDescription });
const aside = (change: Partial<typeof defaultConfig> = {}) =>
  judgeKeptAside({ config: { ...defaultConfig, ...change }, description: testDescription });

beforeEach(() => {
  vi.useFakeTimers();
  useSetupStore.setState({ ...start, description: testDescription }, true);
});
afterEach(() => {
  vi.useRealTimers();
});

it("stands for the set's reward model on the embedded model, and for its program elsewhere", () => {
  expect(used()).toEqual([{ judge: model, weight: 1 }]);
  expect(used({ model: "local" })).toEqual([{ judge: program, weight: 1 }]);
  // The test's studio has no reward model for this set.
  expect(used({ data: "helpful-harmless", objective: "harmless" })).toEqual([
    { judge: { kind: "program", id: "harmless" }, weight: 1 },
  ]);
  expect(used({ data: "local" })).toEqual([]);
});

it("keeps the set's program aside unless it is in use, and whatever was chosen", () => {
  expect(aside()).toEqual(program);
  expect(aside({ model: "local" })).toBeNull();
  expect(aside({ judges: [{ judge: program, weight: 0.5 }] })).toBeNull();
  expect(aside({ judges: [{ judge: length, weight: 1 }] })).toEqual(program);
  // What counts 0 ranks nothing, and may check.
  expect(aside({ judges: [{ judge: program, weight: 0 }] })).toEqual(program);
  expect(aside({ heldoutJudge: length })).toEqual(length);
  expect(aside({ data: "local" })).toBeNull();
});

it("writes the default out once something is changed, and returns to it when nothing is left", () => {
  addJudge(length);
  expect(config().judges).toEqual([
    { judge: model, weight: 1 },
    { judge: length, weight: 1 },
  ]);
  addJudge({ words: 20, kind: "length" });
  expect(config().judges).toHaveLength(2);
  weighJudge(1, -0.5);
  removeJudge(0);
  expect(config().judges).toEqual([{ judge: length, weight: -0.5 }]);
  removeJudge(0);
  expect(config().judges).toEqual([]);
  weighJudge(0, 2);
  expect(config().judges).toEqual([{ judge: model, weight: 2 }]);
  resetJudges();
  expect(config().judges).toEqual([]);
  keepAside(length);
  expect(config().heldoutJudge).toEqual(length);
});

it("names every kind of judge, and says what keeps one from scoring", () => {
  expect(judgeLabel(program, list)).toBe("Kind ending");
  expect(judgeLabel(model, list)).toBe("Kind endings");
  expect(judgeLabel({ kind: "words", liked: ["a", "b", "c", "d"], disliked: ["e"] }, list)).toBe(
    "Words: a, b, c…; not e",
  );
  expect(judgeLabel({ kind: "contains", wanted: [], avoided: ["e"] }, list)).toBe("Contains not e");
  expect(judgeProblem({ kind: "endpoint" }, list)).toContain("has no address");
  expect(judgeProblem({ kind: "rewardModel", id: "gone" }, list)).toContain('no reward model "gone" at hand');
  expect(judgeProblem(model, list)).toBe("");
});

it("forgets the list with the trainer that gave it", async () => {
  vi.useRealTimers();
  const trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  const loaded = { backend: "cpu", model: "story", weights: "keep", adapters: "", data: "d" } as const;
  useSetupStore.setState({ loaded });
  ensureJudges();
  await vi.waitFor(() => expect(judgeList.useStore.getState().answer).not.toBeNull());
  ensureJudges();
  expect(trainer.questions("listJudges")).toHaveLength(1);
  useSetupStore.setState({ loaded: null });
  expect(judgeList.useStore.getState().answer).toBeNull();
  useSetupStore.setState({ loaded });
  ensureJudges();
  await vi.waitFor(() => expect(trainer.questions("listJudges")).toHaveLength(2));
});

it("tries every judge that counts and the one kept aside; the sum leaves out the latter and needs all others", async () => {
  vi.useRealTimers();
  const trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  trainer.answers.scoreAnswers = ({ judge }) => {
    if (judge.kind === "rewardModel") return [{ score: 2 }];
    return judge.kind === "length" ? [{ score: 0.5 }] : [{ score: 100 }];
  };
  useSetupStore.setState({
    config: {
      ...defaultConfig,
      judges: [
        { judge: model, weight: 0.5 },
        { judge: length, weight: -1 },
        { judge: { kind: "person" }, weight: 1 },
        { judge: { kind: "words", liked: ["kind"], disliked: [] }, weight: 0 },
      ],
    },
  });
  editTrial({ prompt: "p", answer: "a" });
  await tryJudges();
  const verdicts = useTrialStore.getState().verdicts!;
  expect(verdicts.map(({ judge, weight }) => [judge.kind, weight])).toEqual([
    ["rewardModel", 0.5],
    ["length", -1],
    ["program", null],
  ]);
  // 0.5 · 2 − 1 · 0.5; the program's 100 is kept aside.
  expect(combinedScore(verdicts)).toBe(0.5);
  expect(combinedScore(verdicts.with(0, { ...verdicts[0]!, verdict: { reason: "away" } }))).toBeNull();
  editTrial({ answer: "b" });
  expect(useTrialStore.getState().verdicts).toBeNull();
});
