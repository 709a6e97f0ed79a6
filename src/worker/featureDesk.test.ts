/** Autoencoders at hand, what a run does with them, and what the page is told of their features. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { tinyConfig } from "../engine/testing/tinyModel.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { reportError } from "./errorReport.ts";
import type { SaeTrainingEvent, WorkerEvent } from "./protocol.ts";
import {
  openStudio,
  tinyDataFile,
  tinyModelFiles,
  tinyRunConfig,
  tinySaeFiles,
} from "./tinyStudio.testing.ts";

// Every run here takes well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

const publicFolder = join(import.meta.dirname, "../../public");
const { session, events, heard } = openStudio(undefined, async (path) =>
  Uint8Array.from(await readFile(join(publicFolder, path))),
);
const fpoKnobs = { beta: 2, alpha: 0.5, topK: 4, featureMode: 0, stopGradientChosen: 1 };
const width = 12;

const isEnd = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && ["done", "failed", "stopped"].includes(event.phase);
const isPause = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && event.phase === "paused";
const evaluations = () => events.filter((event) => event.type === "evaluation");

async function run(changes: Partial<RunConfig>, runId = "run") {
  events.length = 0;
  const config = { ...tinyRunConfig, ...changes };
  await session.start({ runId, config, resume: null, isStepping: false });
  return (await heard(isEnd)).phase;
}

const reasonOf = async (asked: () => unknown) => {
  try {
    await asked();
  } catch (error) {
    return reportError(error);
  }
  throw new Error("It was not refused.");
};

beforeEach(async () => {
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  const files = [tinyDataFile()];
  await session.loadData({
    id: "local",
    objective: "",
    files,
    maxTokens: 32,
    terminator: "auto" as const,
    layout: "",
    columns: {},
    steps: [],
  });
});

it("keeps an opened autoencoder at hand, refuses one that does not fit, and saves what it read", async () => {
  expect(await session.listSaes(null)).toEqual({ atHand: [], embedded: [] });
  const files = tinySaeFiles();
  const summary = await session.loadSae({ id: "", files });
  expect(summary).toMatchObject({ id: "opened-1", origin: "opened", layer: 1, width, hasDecoder: true });
  const wide = await reasonOf(() => session.loadSae({ id: "", files: tinySaeFiles({ inputSize: 20 }) }));
  expect(wide.code).toBe("FIL-1");
  expect(wide.message).toContain(`rows of 20 numbers, and the model's stream has ${tinyConfig.hiddenSize}`);
  expect(await session.listSaes(null)).toEqual({ atHand: [summary], embedded: [] });
  const saved = await session.exportSae({ sae: "opened-1" });
  expect(saved.map(({ name }) => name)).toEqual(files.map(({ name }) => name));
  expect(saved[0]!.bytes).toEqual(files[0]!.bytes);
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  expect((await session.listSaes(null)).atHand).toEqual([]);
});

it("measures features at every evaluation of any method once an autoencoder is at hand", async () => {
  expect(await run({ method: "sft", params: {} })).toBe("done");
  expect(evaluations().map(({ features }) => features)).toEqual([null, null, null]);
  await session.loadSae({ id: "", files: tinySaeFiles() });
  expect(await run({ method: "sft", params: {} })).toBe("done");
  const [first, , last] = evaluations();
  expect(first!.metrics["eval_features/mse_chosen"]).toBe(0);
  expect(last!.metrics["eval_features/mse_chosen"]).toBeGreaterThan(0);
  expect(last!.metrics["eval_features/unexplained"]).toBeGreaterThan(0);
  expect(last!.features?.saes).toEqual([{ id: "opened-1", width }]);
  expect(last!.features?.chosen).toHaveLength(width);
  expect(last!.features?.chosen).not.toEqual(first!.features?.chosen);
});

it("trains FPO with what is at hand, and says what is missing without", async () => {
  const config = { ...tinyRunConfig, method: "fpo", params: fpoKnobs };
  const { problems } = await session.preflight({ config });
  expect(problems).toMatchObject([{ field: "method" }]);
  await session.loadSae({ id: "", files: tinySaeFiles() });
  expect((await session.preflight({ config })).problems).toEqual([]);
  expect(await run(config)).toBe("done");
  const steps = events.flatMap((event) => (event.type === "steps" ? event.steps : []));
  expect(steps.at(-1)?.metrics["features/mse_rejected"]).toBeGreaterThan(0);
  const unknown = { ...config, saes: ["story-2"] };
  expect((await session.preflight({ config: unknown })).problems).toEqual([
    {
      field: "saes",
      message: 'There is no autoencoder "story-2" at hand; at hand: "opened-1". Choose one under Features.',
    },
  ]);
});

it("forgets the reference's features of another autoencoder, and no log-probs", async () => {
  await session.loadSae({ id: "", files: tinySaeFiles() });
  const config = { ...tinyRunConfig, method: "fpo", params: fpoKnobs };
  await run(config);
  const unscored = async (changes: Partial<RunConfig>) =>
    (await session.preflight({ config: { ...config, ...changes } })).unscoredPairs;
  expect(await unscored({})).toBe(0);
  await session.loadSae({ id: "", files: tinySaeFiles({ seed: 6 }) });
  expect(await unscored({})).toBeGreaterThan(0);
  expect(await unscored({ method: "dpo", params: { beta: 0.5 } })).toBe(0);
  expect(await run(config)).toBe("done");
  // An untouched policy has not drifted from what is remembered of the reference.
  const [step] = events.flatMap((event) => (event.type === "steps" ? event.steps : []));
  expect(step?.metrics["features/mse_rejected"]).toBe(0);
});

it("tells what features do before a run, and what the run changed after it", async () => {
  await session.loadSae({ id: "", files: tinySaeFiles() });
  const table = await session.featureTable({ sae: "opened-1" });
  expect(table.names).toHaveLength(width);
  expect(table.positions).toBeGreaterThan(0);
  const feature = table.density.indexOf(Math.max(...table.density));
  const before = await session.featureDetail({ sae: "opened-1", feature });
  expect(before.before.density).toBeCloseTo(table.density[feature]!, 6);
  expect(before.after).toBeNull();
  const untrained = await reasonOf(() => session.changeReport({ sae: "opened-1" }));
  expect(untrained).toMatchObject({ code: "RUN-1", message: "No run has tuned the model yet: train first." });
  await run({ learningRate: 0.05 });
  const after = await session.featureDetail({ sae: "opened-1", feature });
  expect(after.before.chosen).toEqual(before.before.chosen);
  expect(after.after?.chosen).not.toEqual(after.before.chosen);
  const report = await session.changeReport({ sae: "opened-1" });
  expect(report).toMatchObject({ sae: "opened-1", step: 6, answers: 12 });
  const change = report.changes.find((each) => each.feature === feature)!;
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(change.chosenChange).toBeCloseTo(mean(after.after!.chosen) - mean(before.before.chosen), 5);
  const unknown = await reasonOf(() => session.featureDetail({ sae: "opened-1", feature: width }));
  expect(unknown.message).toBe(`Feature ${width} is unknown: the autoencoder has 0 to ${width - 1}.`);
});

it("looks at the policy of a paused run, and lets it go on", async () => {
  await session.loadSae({ id: "", files: tinySaeFiles() });
  events.length = 0;
  const config = { ...tinyRunConfig, learningRate: 0.05 };
  await session.start({ runId: "run", config, resume: null, isStepping: true });
  await heard(isPause);
  const question = { sae: "opened-1", text: "the ab is kind." } as const;
  const untouched = await session.promptFeatures({ ...question, policy: "reference" });
  const tuned = await session.promptFeatures({ ...question, policy: "policy" });
  expect(untouched.tokens).toEqual(tuned.tokens);
  expect(tuned.activations).not.toEqual(untouched.activations);
  expect(await session.changeReport({ sae: "opened-1" })).toMatchObject({ step: 1 });
  await session.resume(null);
  expect((await heard(isEnd)).phase).toBe("done");
});

it("lets a run keep the autoencoder that another took the place of", async () => {
  await session.loadSae({ id: "", files: tinySaeFiles() });
  events.length = 0;
  const config = { ...tinyRunConfig, method: "fpo", params: fpoKnobs };
  await session.start({ runId: "run", config, resume: null, isStepping: true });
  await heard(isPause);
  const { print } = await session.loadSae({ id: "", files: tinySaeFiles({ seed: 6 }) });
  await session.resume(null);
  expect((await heard(isEnd)).phase).toBe("done");
  expect((await session.listSaes(null)).atHand.map((sae) => sae.print)).toEqual([print]);
});

it("steers the same prompt and seed with and without a feature", async () => {
  await session.loadSae({ id: "", files: tinySaeFiles() });
  const steering = { sae: "opened-1", feature: 3, mode: "add", value: 0 } as const;
  const drawn = {
    prompt: "the ab",
    policy: "reference",
    seed: 7,
    temperature: 0.7,
    maxNewTokens: 8,
  } as const;
  const same = await session.steer({ ...drawn, steering });
  expect(same.steered).toBe(same.plain);
  const strong = await session.steer({ ...drawn, steering: { ...steering, value: 30 } });
  expect(strong.plain).toBe(same.plain);
  expect(strong.steered).not.toBe(strong.plain);
});

const isTraining = (event: WorkerEvent): event is SaeTrainingEvent => event.type === "sae";
const settings = { layer: 0, width: 16, k: 3, steps: 40, batchRows: 32, learningRate: 0.01, seed: 1 };
const hasStatus =
  (status: SaeTrainingEvent["status"]) =>
  (event: WorkerEvent): event is SaeTrainingEvent =>
    isTraining(event) && event.status === status;

it("trains an autoencoder on the pairs, and uses it from then on", async () => {
  events.length = 0;
  await session.trainSae({ settings, isContinued: false, texts: null });
  const done = await heard(hasStatus("done"));
  expect(done).toMatchObject({ step: 40, steps: 40, sae: { id: "trained-0", layer: 0, width: 16 } });
  expect(done.metrics["eval_unexplained"]).toBeGreaterThan(0);
  expect((await session.listSaes(null)).atHand).toEqual([done.sae]);
  expect(await run({})).toBe("done");
  expect(evaluations()[0]!.features?.saes).toEqual([{ id: "trained-0", width: 16 }]);
});

it("trains an autoencoder on the texts of a file, of which it holds some out", async () => {
  const file = (texts: readonly string[]) => ({
    name: "texts.json",
    bytes: new TextEncoder().encode(JSON.stringify(texts)),
  });
  const few = await reasonOf(() =>
    session.trainSae({ settings, isContinued: false, texts: file(["the ab", "is kind."]) }),
  );
  expect(few).toMatchObject({
    code: "FIL-1",
    message: '"texts.json" holds 2 texts; at least 10 are needed.',
  });
  events.length = 0;
  const texts = Array.from({ length: 40 }, (_, index) => `the ab is ${"kind ".repeat(1 + (index % 5))}.`);
  await session.trainSae({ settings, isContinued: false, texts: file(texts) });
  expect((await heard(hasStatus("done"))).metrics["eval_l0"]).toBeGreaterThan(0);
});

it("pauses a training for a run, and goes on to what it would have come to", async () => {
  // Long enough to be met while it goes on.
  const long = { ...settings, steps: 400 };
  events.length = 0;
  await session.trainSae({ settings: long, isContinued: false, texts: null });
  const whole = (await heard(hasStatus("done"))).metrics;
  events.length = 0;
  await session.trainSae({ settings: long, isContinued: false, texts: null });
  await heard(hasStatus("training"));
  await session.start({
    runId: "run",
    config: { ...tinyRunConfig, steps: 1 },
    resume: null,
    isStepping: false,
  });
  const paused = await heard(hasStatus("paused"));
  expect(paused.step).toBeGreaterThan(0);
  expect((await heard(isEnd)).phase).toBe("done");
  events.length = 0;
  await session.trainSae({ settings: long, isContinued: true, texts: null });
  expect((await heard(hasStatus("done"))).metrics).toEqual(whole);
  expect(events.filter(hasStatus("training")).every(({ step }) => step > paused.step)).toBe(true);
  const again = await reasonOf(() => session.trainSae({ settings, isContinued: true, texts: null }));
  expect(again.message).toBe("No training is paused: start one.");
  const wrong = await reasonOf(() =>
    session.trainSae({ settings: { ...settings, layer: 9 }, isContinued: false, texts: null }),
  );
  expect(wrong.code).toBe("CFG-1");
});

it("loads what a configuration names of the model's own, and leaves the default as it is", async () => {
  const { sae } = await session.loadModel({ id: "story", files: null, weights: "keep" });
  expect(sae).toMatchObject({ id: "story-2", layer: 2, origin: "embedded" });
  const data = {
    id: "kind-endings",
    objective: "",
    files: null,
    maxTokens: 128,
    terminator: "auto" as const,
    layout: "",
    columns: {},
    steps: [],
  };
  await session.loadData(data);
  const saes = ["story-0", "story-2"];
  const config = { ...tinyRunConfig, model: "story", data: "kind-endings", maxTokens: 128, saes };
  const [first, second] = await Promise.all([session.preflight({ config }), session.preflight({ config })]);
  expect([first.problems, second.problems]).toEqual([[], []]);
  const { atHand, embedded } = await session.listSaes(null);
  expect(atHand.map(({ id }) => id)).toEqual(["story-2", "story-0"]);
  expect(embedded.map(({ layer }) => layer)).toEqual([2, 1, 0]);
});
