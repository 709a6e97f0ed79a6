import { defaultConfig } from "../engine/training/config.ts";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { heartbeatLimitMs } from "../worker/rpc.ts";
import type { Checkpoint, ErrorReport } from "../worker/protocol.ts";
import { pause, restart, step, train } from "./actions.ts";
import { boot } from "./boot.ts";
import { chooseMethod, edit, editParam } from "./editing.ts";
import { deviceMessage } from "./loading.ts";
import { largestDataBytes, openFiles } from "./localFiles.ts";
import { useMessageStore } from "./messageStore.ts";
import { restartTrainer, resumeWithLessMemory, resumeWithLowerRate, trainOnCpu } from "./recovery.ts";
import { history, useRunStore } from "./runStore.ts";
import { pendingChanges, useSetupStore } from "./setupStore.ts";
import { testAnswers, testPoints, testScores, TestTrainer } from "./testTrainer.ts";

let trainers: TestTrainer[] = [];
const trainer = () => trainers.at(-1)!;
const run = () => useRunStore.getState();
const setup = () => useSetupStore.getState();
const codes = () => useMessageStore.getState().messages.map(({ code }) => code);
const initial = [useRunStore, useSetupStore, useMessageStore].map(
  (store) => [store, store.getState()] as const,
);

beforeEach(() => {
  vi.useFakeTimers();
  trainers = [];
  for (const [store, state] of initial)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  history.clear();
  const page = { hash: "", href: "http://localhost/" };
  vi.stubGlobal("location", page);
  vi.stubGlobal("window", {
    addEventListener: () => undefined,
    history: { replaceState: (_state: unknown, _title: string, link: string) => (page.hash = link) },
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function bootStudio(): Promise<void> {
  await boot({
    createPort: () => {
      trainers.push(new TestTrainer());
      return trainer().port;
    },
    search: "?inject=kill@40",
    isSecure: true,
  });
}

const sayPhase = (phase: "training" | "paused" | "done", atStep: number) => {
  trainer().say({ type: "phase", runId: run().runId ?? "", phase, step: atStep, progress: null });
};

const saySteps = (from: number, to: number) => {
  const steps = Array.from({ length: to - from + 1 }, (_, index) => ({
    step: from + index,
    activeMs: (from + index) * 1000,
    metrics: { loss: 1 / (from + index), "rewards/margins": index },
  }));
  trainer().say({ type: "steps", runId: run().runId ?? "", steps });
};

const sayCheckpoint = (atStep: number) => {
  const checkpoint: Checkpoint = {
    runId: run().runId!,
    step: atStep,
    activeMs: atStep * 1000,
    tensors: {},
    rounds: null,
  };
  trainer().say({ type: "checkpoint", checkpoint });
};

const settle = () => vi.advanceTimersByTimeAsync(300);

it("starts ready with model, data, cost and an address that says what it is", async () => {
  await bootStudio();
  expect(
    trainer()
      .asked.map(({ name }) => name)
      .slice(0, 5),
  ).toEqual(["describe", "open", "loadModel", "listSaes", "loadData"]);
  expect(trainer().questions("open")).toEqual([
    { backend: "auto", isSecure: true, injections: [{ kind: "kill", step: 40 }] },
  ]);
  expect(run().phase).toBe("ready");
  expect(setup().secondsPerStep).toBe(0.1);
  expect(location.hash).toBe("#/train?preset=tiny-dpo&seed=7&v=1");
  expect(codes()).toEqual([]);
});

it("collects a run's record and ignores what another run says", async () => {
  await bootStudio();
  await train();
  sayPhase("training", 0);
  saySteps(1, 12);
  trainer().say({ type: "steps", runId: "another", steps: [{ step: 99, activeMs: 1, metrics: {} }] });
  trainer().say({
    type: "evaluation",
    runId: run().runId!,
    step: 10,
    activeMs: 10_000,
    metrics: { eval_loss: 0.5 },
    points: testPoints(2, -3),
    scores: testScores,
    features: null,
  });
  expect(run()).toMatchObject({ phase: "training", step: 12, activeMs: 12_000, secondsPerStep: 1 });
  expect(run().trail).toEqual([{ x: 2, y: -3 }]);
  expect(run().log.at(-1)).toMatchObject({ message: "Held-out pairs: loss 0.500.", step: 12 });
  expect(history.metricSeries("loss")).toMatchObject({ evalSteps: [10], evalValues: [0.5] });
  expect(history.steps).toHaveLength(12);
});

it("shows what a step holds, with a real minus in the log, and forgets it with the next run", async () => {
  await bootStudio();
  await train();
  const runId = run().runId!;
  const room = { keeps: "everything", reason: "small", bytes: 38e6, layerBytes: 12e6 } as const;
  trainer().say({ type: "room", runId, room });
  expect(run().room).toEqual(room);
  expect(run().log.at(-1)?.message).toContain("A step holds 38 MB");
  const metrics = { "eval_margins/logratio": -0.25 };
  trainer().say({
    type: "evaluation",
    runId,
    step: 0,
    activeMs: 0,
    metrics,
    points: testPoints(0, 0),
    scores: testScores,
    features: null,
  });
  expect(run().log.at(-1)?.message).toBe("Held-out pairs: log-ratio margin −0.250.");
  trainer().say({
    type: "evaluation",
    runId,
    step: 0,
    activeMs: 0,
    metrics: { "eval_margins/logratio": -1e-7 },
    points: testPoints(0, 0),
    scores: testScores,
    features: null,
  });
  expect(run().log.at(-1)?.message).toBe("Held-out pairs: log-ratio margin 0.000.");
  await train();
  expect(run().room).toBeNull();
});

it("goes on with half the batch after the memory ran out, from the last good step", async () => {
  await bootStudio();
  await train();
  const { runId } = run();
  saySteps(1, 25);
  sayCheckpoint(20);
  const error: ErrorReport = { name: "E", code: "MEM-1", message: "no room", details: {} };
  trainer().say({ type: "failed", runId: runId!, step: 25, lastGoodStep: 20, error });
  expect(useMessageStore.getState().messages[0]).toMatchObject({
    code: "MEM-1",
    details: { remedy: "a batch of 4", canResume: 1, bytes: 9_000_000, step: 25 },
  });
  await resumeWithLessMemory();
  expect(trainer().questions("start")[1]).toMatchObject({
    runId,
    resume: { step: 20 },
    config: { batchPairs: 4, accumulationSteps: 2 },
  });
  expect(location.hash).toContain("batchPairs=4");
  expect(codes()).toEqual([]);
});

it("starts again where a smaller adapter has no use for the old one's values", async () => {
  await bootStudio();
  edit({ batchPairs: 1, checkpointing: "on", topLayers: 1 });
  await settle();
  await train();
  saySteps(1, 25);
  sayCheckpoint(20);
  const error: ErrorReport = { name: "E", code: "MEM-1", message: "no room", details: {} };
  trainer().say({ type: "failed", runId: run().runId!, step: 25, lastGoodStep: 20, error });
  await resumeWithLessMemory();
  expect(trainer().questions("start")[1]).toMatchObject({
    resume: null,
    config: { loraRank: 4, loraAlpha: 8 },
  });
});

it("changes the setup alone when the memory ran out before any run", async () => {
  const boot = bootStudio();
  trainer().refusals.set("warmUp", { name: "E", code: "MEM-1", message: "no room", details: {} });
  await boot;
  expect(codes()).toEqual(["MEM-1"]);
  trainer().refusals.clear();
  await resumeWithLessMemory();
  await settle();
  expect(setup().config).toMatchObject({ batchPairs: 4, accumulationSteps: 2 });
  expect(trainer().questions("start")).toEqual([]);
  expect(codes()).toEqual([]);
});

it("trains on the CPU where a link asks for a GPU that is not there", async () => {
  const boot = bootStudio();
  location.hash = "#/train?backend=webgpu&v=1";
  trainer().refusals.set("open", { name: "E", code: "GPU-1", message: "no WebGPU", details: {} });
  await boot;
  expect(trainer().questions("open")).toMatchObject([{ backend: "webgpu" }]);
  expect(run()).toMatchObject({ phase: "failed", failure: { error: { code: "GPU-1" } } });
  trainer().refusals.clear();
  await trainOnCpu();
  expect(trainer().questions("open")[1]).toMatchObject({ backend: "cpu" });
  expect(trainer().questions("start")).toMatchObject([{ config: { backend: "cpu" } }]);
  expect(location.hash).toContain("backend=cpu");
  expect(codes()).toEqual([]);
});

it("keeps the text from before the run, the newest and the best", async () => {
  await bootStudio();
  await train();
  const sayScore = (atStep: number, meanJudgeScore: number) => {
    trainer().say({
      type: "samples",
      runId: run().runId!,
      step: atStep,
      samples: [],
      meanJudgeScore,
      metrics: {},
    });
  };
  sayScore(0, 0.2);
  sayScore(10, 0.9);
  sayScore(20, 0.5);
  expect([run().before?.step, run().now?.step, run().best?.step]).toEqual([0, 20, 10]);
});

it("applies the learning rate at once and keeps any other edit for the restart", async () => {
  await bootStudio();
  await train();
  sayPhase("training", 3);
  edit({ learningRate: 1e-3 });
  editParam("beta", 0.3);
  await settle();
  expect(trainer().questions("setLive")).toEqual([{ learningRate: 1e-3 }]);
  expect(run().marks).toEqual([{ step: 3, label: "Learning rate 0.001" }]);
  expect(pendingChanges(setup())).toEqual([
    { field: "params.beta", from: defaultConfig.params["beta"], to: 0.3 },
  ]);
  await pause();
  await restart();
  expect(trainer().questions("stop")).toHaveLength(1);
  expect(trainer().questions("start")).toHaveLength(2);
  expect(pendingChanges(setup())).toEqual([]);
});

it("gives another method its own knobs", async () => {
  await bootStudio();
  chooseMethod("simpo");
  await settle();
  expect(setup().config.params).toEqual({ beta: 2, gamma: 0.5 });
  expect(location.hash).toBe("#/train?preset=tiny-dpo&method=simpo&seed=7&v=1");
});

it("does not start a configuration that has a problem", async () => {
  await bootStudio();
  edit({ loraTargets: [] });
  await train();
  expect(trainer().questions("start")).toEqual([]);
});

it("leaves a run as it is when the settings to restart with cannot be trained", async () => {
  await bootStudio();
  await train();
  sayPhase("paused", 3);
  edit({ batchPairs: 0 });
  await restart();
  expect(trainer().questions("stop")).toEqual([]);
  expect(codes()).toEqual(["CFG-1"]);
});

it("steps from the start by starting a run first", async () => {
  await bootStudio();
  await step();
  expect(trainer().questions("start")).toMatchObject([{ isStepping: true }]);
  expect(trainer().questions("step")).toEqual([]);
});

it("resumes from the checkpoint with a third of the learning rate after a loss that is not a number", async () => {
  await bootStudio();
  await train();
  saySteps(1, 25);
  sayCheckpoint(20);
  const error: ErrorReport = { name: "NonFiniteLossError", code: "NUM-1", message: "NaN", details: {} };
  trainer().say({ type: "failed", runId: run().runId!, step: 26, lastGoodStep: 20, error });
  expect(run().phase).toBe("failed");
  expect(useMessageStore.getState().messages[0]).toMatchObject({
    code: "NUM-1",
    details: { step: 26, lastGoodStep: 20 },
  });
  await resumeWithLowerRate();
  expect(trainer().questions("start")[1]).toMatchObject({
    resume: { step: 20 },
    config: { learningRate: 0.000667 },
  });
  expect(history.steps.at(-1)?.step).toBe(20);
  expect(codes()).toEqual([]);
});

it("shows after going back what it showed at that step", async () => {
  await bootStudio();
  await train();
  const sayEvaluation = (atStep: number) => {
    const [runId, activeMs] = [run().runId!, atStep * 1000];
    const [metrics, points] = [{ eval_loss: 1 / atStep }, testPoints(atStep, -atStep)];
    trainer().say({
      type: "evaluation",
      runId,
      step: atStep,
      activeMs,
      metrics,
      points,
      scores: testScores,
      features: null,
    });
  };
  const saySamples = (atStep: number) => {
    const set = { step: atStep, samples: [], meanJudgeScore: atStep, metrics: {} };
    trainer().say({ type: "samples", runId: run().runId!, ...set });
  };
  saySamples(0);
  saySteps(1, 20);
  sayEvaluation(10);
  sayEvaluation(20);
  sayCheckpoint(20);
  // Samples of a step follow its checkpoint.
  saySamples(20);
  saySteps(21, 30);
  sayEvaluation(30);
  saySamples(30);
  expect([run().pointsStep, run().now?.step, run().best?.step]).toEqual([30, 30, 30]);
  const error: ErrorReport = { name: "NonFiniteLossError", code: "NUM-1", message: "NaN", details: {} };
  trainer().say({ type: "failed", runId: run().runId!, step: 31, lastGoodStep: 20, error });
  await resumeWithLowerRate();
  expect(run()).toMatchObject({ step: 20, pointsStep: 20, points: testPoints(20, -20) });
  expect([run().before?.step, run().now?.step, run().best?.step]).toEqual([0, 20, 20]);
  expect(run().latest).toEqual({ loss: 1 / 20, "rewards/margins": 19 });
  expect(run().latestEvaluation).toEqual({ eval_loss: 1 / 20 });
});

it("resumes once, however often that is asked", async () => {
  await bootStudio();
  await train();
  saySteps(1, 25);
  sayCheckpoint(20);
  const error: ErrorReport = { name: "NonFiniteLossError", code: "NUM-1", message: "NaN", details: {} };
  trainer().say({ type: "failed", runId: run().runId!, step: 26, lastGoodStep: 20, error });
  await Promise.all([resumeWithLowerRate(), resumeWithLowerRate()]);
  expect(trainer().questions("start")).toHaveLength(2);
  expect(setup().config.learningRate).toBe(0.000667);
});

it("opens a device again after the one it had was lost, before and during a run", async () => {
  await bootStudio();
  trainer().say({ type: "deviceLost", reason: "the device was lost (reset)" });
  expect(useMessageStore.getState().messages).toMatchObject([
    { code: "WRK-1", details: { reason: "the device was lost (reset)", wasActive: 0 } },
  ]);
  await train();
  expect(
    trainer()
      .asked.map(({ name }) => name)
      .slice(-4),
  ).toEqual(["open", "loadModel", "loadData", "start"]);
  sayPhase("training", 0);
  saySteps(1, 45);
  sayCheckpoint(40);
  const details = { reason: "the device was lost (reset)" };
  const error: ErrorReport = { name: "DeviceLostError", code: "WRK-1", message: "reset", details };
  trainer().say({ type: "failed", runId: run().runId!, step: 45, lastGoodStep: 40, error });
  trainer().say({ type: "deviceLost", reason: details.reason });
  expect(setup().loaded).toBeNull();
  expect(useMessageStore.getState().messages).toMatchObject([
    { code: "WRK-1", details: { ...details, lastGoodStep: 40, wasActive: 1 } },
  ]);
  await restartTrainer();
  expect(trainer().questions("start")).toMatchObject([{ resume: { step: 40 } }]);
});

it("tells once of a trainer that fell silent, and continues its run in a new one", async () => {
  await bootStudio();
  await train();
  sayPhase("training", 0);
  saySteps(1, 45);
  sayCheckpoint(40);
  await vi.advanceTimersByTimeAsync(heartbeatLimitMs);
  expect(run().phase).toBe("failed");
  expect(codes()).toEqual(["WRK-1"]);
  const { runId } = run();
  await restartTrainer();
  expect(trainers).toHaveLength(2);
  expect(trainer().questions("open")).toMatchObject([{ injections: [] }]);
  expect(trainer().questions("start")).toMatchObject([{ runId, resume: { step: 40, runId } }]);
  expect(codes()).toEqual([]);
});

it("can still go on with a run that a new trainer refuses for what only the old one was told", async () => {
  await bootStudio();
  await train();
  sayPhase("training", 0);
  saySteps(1, 45);
  sayCheckpoint(40);
  const { runId } = run();
  trainer().die("out of memory");
  const restarted = restartTrainer();
  const message = "The language model has no address yet.";
  trainer().refusals.set("start", { name: "E", code: "CFG-1", message, details: {} });
  await restarted;
  expect(run()).toMatchObject({ phase: "failed", failure: { error: { code: "WRK-1" }, wasActive: true } });
  // Told what it lacks, the same trainer goes on: another one would have forgotten it again.
  trainer().refusals.clear();
  await restartTrainer();
  expect(trainers).toHaveLength(2);
  expect(trainer().questions("start")).toMatchObject([{}, { runId, resume: { step: 40, runId } }]);
  // Where it dies, it is replaced like any other.
  trainer().die("out of memory");
  await restartTrainer();
  expect(trainers).toHaveLength(3);
});

it("does not wait for a trainer that could not be brought back", async () => {
  await bootStudio();
  await train();
  sayPhase("training", 0);
  trainer().die("out of memory");
  const restarted = restartTrainer();
  trainer().refusals.set("open", { name: "E", code: "GPU-2", message: "no adapter", details: {} });
  await restarted;
  expect(run().phase).toBe("failed");
  expect(codes()).toEqual(["GPU-2"]);
});

it("says that the start failed, and tries it again when asked", async () => {
  const error: ErrorReport = { name: "Error", code: "RUN-1", message: "not loaded (404)", details: {} };
  await boot({
    createPort: () => {
      trainers.push(new TestTrainer());
      if (trainers.length < 3) trainer().refusals.set("loadModel", error);
      return trainer().port;
    },
    search: "",
    isSecure: true,
  });
  for (const attempts of [1, 2]) {
    expect(trainers).toHaveLength(attempts);
    expect(run()).toMatchObject({ phase: "failed", failure: { error, wasActive: false } });
    expect(useMessageStore.getState().messages).toMatchObject([
      { code: "RUN-1", details: { message: "not loaded (404)", isStart: 1 } },
    ]);
    await restartTrainer();
  }
  expect(run().phase).toBe("ready");
  expect(codes()).toEqual([]);
});

it("brings a trainer back that died before the page was ready", async () => {
  const starting = boot({
    createPort: () => {
      trainers.push(new TestTrainer());
      if (trainers.length === 1)
        trainer().refusals.set("describe", { name: "E", code: "WRK-1", message: "", details: {} });
      return trainer().port;
    },
    search: "",
    isSecure: true,
  });
  trainer().die("the worker could not be loaded");
  await starting;
  expect(codes()).toEqual(["WRK-1"]);
  await restartTrainer();
  expect(run().phase).toBe("ready");
  expect(codes()).toEqual([]);
});

it("opens local files, and changes nothing when the trainer refuses them", async () => {
  await bootStudio();
  await openFiles([new File(["x"], "foo.bin")]);
  expect(codes()).toEqual(["FIL-1"]);
  const { config, model, data } = setup();
  const error: ErrorReport = { name: "FileError", code: "FIL-1", message: "no tensors", details: {} };
  trainer().refusals.set("loadModel", error);
  await openFiles([new File(["{}"], "config.json")]);
  trainer().refusals.set("loadData", error);
  await openFiles([new File(["{}"], "pairs.jsonl")]);
  expect(setup()).toMatchObject({ config, model, data, chosenFiles: { model: null, data: null } });
  trainer().refusals.clear();
  await openFiles([new File(["{}"], "pairs.jsonl")]);
  expect(setup().config.data).toBe("local");
  expect(codes()).toEqual([]);
});

it("refuses a preference file over the limit without reading it, and says both sizes", async () => {
  await bootStudio();
  const file = new File(["{}"], "pairs.jsonl");
  Object.defineProperty(file, "size", { value: largestDataBytes + 2 ** 21 });
  const asked = trainer().asked.length;
  await openFiles([file]);
  expect(trainer().asked).toHaveLength(asked);
  expect(useMessageStore.getState().messages).toMatchObject([
    { code: "FIL-1", details: { message: "It has 258 MB; a preference file may have 256 MB." } },
  ]);
});

it("does not take a set for loaded that waited for the next run when a file was refused", async () => {
  await bootStudio();
  await train();
  sayPhase("done", 60);
  edit({ terminator: "none" });
  await settle();
  const error: ErrorReport = { name: "DatasetError", code: "DAT-1", message: "no columns", details: {} };
  trainer().refusals.set("loadData", error);
  await openFiles([new File(["{}"], "pairs.jsonl")]);
  trainer().refusals.clear();
  await train();
  expect(trainer().questions("loadData").at(-1)).toMatchObject({ id: "kind-endings", terminator: "none" });
});

it("keeps a line for a GPU without 16-bit shaders and for pairs that were changed to fit", async () => {
  const { open, loadData } = testAnswers;
  testAnswers.open = { ...open, hasShaderF16: false };
  testAnswers.loadData = { ...loadData, truncatedPrompts: 3, answersApart: 1 };
  await bootStudio();
  Object.assign(testAnswers, { open, loadData });
  expect(run().log.find(({ code }) => code === "GPU-4")?.message).toContain("32-bit arithmetic");
  const messages = run().log.map(({ message }) => message);
  expect(messages).toContain("The prompt of 3 pairs was shortened to fit.");
  expect(messages).toContain("An answer of 1 pair was tokenised apart from its prompt.");
  expect(codes()).toEqual([]);
});

it("chooses a device's message by why WebGPU is not used", () => {
  const report = testAnswers.open;
  expect(deviceMessage(report)).toBeNull();
  expect(deviceMessage({ ...report, backend: "cpu", reason: "no-gpu-api" })).toBe("GPU-1");
  expect(deviceMessage({ ...report, backend: "cpu", reason: "insecure-context" })).toBe("GPU-1b");
  expect(deviceMessage({ ...report, backend: "cpu", reason: "no-adapter" })).toBe("GPU-2");
  expect(deviceMessage({ ...report, isSoftware: true })).toBe("GPU-3");
});
