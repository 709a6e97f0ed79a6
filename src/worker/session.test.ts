/** The trainer behind the wall, from opening the device to what leaves it. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { readPeftAdapter } from "../engine/adapters/peft.ts";
import { readSafetensors } from "../engine/files/safetensors.ts";
import { objectives } from "../engine/losses/index.ts";
import { memory } from "../engine/tensor/run.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { reportError } from "./errorReport.ts";
import type { Checkpoint, Injection, MessageCode, Phase, WorkerEvent } from "./protocol.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

// Every run here takes well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

const { session, events, heard } = openStudio();

type EventOf<Type extends WorkerEvent["type"]> = Extract<WorkerEvent, { type: Type }>;

const isOf =
  <Type extends WorkerEvent["type"]>(type: Type) =>
  (event: WorkerEvent): event is EventOf<Type> =>
    event.type === type;

const isPhase =
  (...words: Phase[]) =>
  (event: WorkerEvent): event is EventOf<"phase"> =>
    event.type === "phase" && words.includes(event.phase);

const eventsOf = <Type extends WorkerEvent["type"]>(type: Type) => events.filter(isOf(type));
const stepsHeard = () => eventsOf("steps").flatMap(({ steps }) => steps);
const lossesHeard = () => stepsHeard().map(({ metrics }) => metrics["loss"]);

/** Embedding and head, attention, MLP and norms of two layers, and the last norm. */
const tinyParameters = 2 * 41 * 16 + 2 * (2 * 16 * 16 + 2 * 8 * 16 + 3 * 24 * 16 + 2 * 16) + 16;

const dataQuestion = {
  id: "local",
  objective: "",
  files: [tinyDataFile()],
  maxTokens: 32,
  terminator: "auto" as const,
  layout: "",
  columns: {},
  steps: [],
};

/** Opens the device with faults, and loads the tiny model and its pairs. */
async function load(injections: readonly Injection[] = []) {
  await session.open({ backend: "cpu", isSecure: true, injections });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  return session.loadData(dataQuestion);
}

async function start(changes: Partial<RunConfig> = {}, resume: Checkpoint | null = null) {
  const config = { ...tinyRunConfig, ...changes };
  await session.start({ runId: "run", config, resume, isStepping: false });
}

/** Trains to an end of whatever kind and returns its word. */
async function runToEnd(changes: Partial<RunConfig> = {}, resume: Checkpoint | null = null): Promise<Phase> {
  const from = events.length;
  await start(changes, resume);
  return (await heard(isPhase("done", "stopped", "failed"), from)).phase;
}

function lastCheckpoint(): Checkpoint {
  const last = eventsOf("checkpoint").at(-1);
  if (last === undefined) throw new Error("There was no checkpoint.");
  return last.checkpoint;
}

/** The code of what a question is refused with. */
async function refusalOf(ask: () => unknown): Promise<{ code: MessageCode | null; message: string }> {
  try {
    await ask();
    return { code: null, message: "" };
  } catch (error) {
    return reportError(error);
  }
}

beforeEach(async () => {
  await load();
  events.length = 0;
});

describe("a session", () => {
  it("describes itself and what it has loaded", async () => {
    const summary = await load();
    const { objectives: cards, presets } = await session.describe(null);
    const offered = cards.map(({ id }) => id);
    expect(offered).toEqual(Object.keys(objectives));
    expect(JSON.stringify(cards)).not.toContain("compute");
    expect(presets.length).toBeGreaterThan(0);
    expect(summary).toMatchObject({ id: "local", label: "pairs.jsonl", trainPairs: 24, heldoutPairs: 6 });
    expect(summary).toMatchObject({ notes: [], healthMessage: null, judge: null });
    expect(summary).toMatchObject({ truncatedPrompts: 0, answersApart: 0 });
    const short = await session.loadData({ ...dataQuestion, maxTokens: 16 });
    expect(short.truncatedPrompts).toBeGreaterThan(0);
    expect(await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" })).toMatchObject({
      architecture: "llama",
      layers: 2,
      vocabularySize: 41,
      parameters: tinyParameters,
      sizeBytes: 4 * tinyParameters,
    });
  });

  it("says what a run costs, and its speed once that was measured", async () => {
    const before = await session.preflight({ config: tinyRunConfig });
    // rank · (in + out) of q, k, v, o, gate, up and down in both layers.
    const perLayer = 2 * (16 + 16 + (16 + 8) + (16 + 8) + 16 + 16 + 3 * (16 + 24));
    expect(before).toMatchObject({ trainableParameters: 2 * perLayer, secondsPerStep: null, problems: [] });
    const tensors = memory().numTensors;
    const { secondsPerStep } = await session.warmUp({ config: tinyRunConfig });
    expect(secondsPerStep).toBeGreaterThan(0);
    expect(memory().numTensors).toBe(tensors);
    expect(await session.preflight({ config: tinyRunConfig })).toMatchObject({ secondsPerStep });
    const compared = { ...tinyRunConfig, method: "aot" };
    expect((await session.warmUp({ config: compared })).secondsPerStep).toBeGreaterThan(0);
    const larger = { ...tinyRunConfig, batchPairs: 5 };
    expect(await session.preflight({ config: larger })).toMatchObject({ secondsPerStep: null });
    expect(events).toEqual([]);
  });

  it("lets others have their turn while it reads a large preference set", async () => {
    const turns: number[] = [];
    const timer = setInterval(() => turns.push(turns.length), 1);
    const clock = vi.spyOn(performance, "now");
    let now = 0;
    // A clock on which every look takes 200 ms.
    clock.mockImplementation(() => (now += 200));
    await session.loadData(dataQuestion);
    clock.mockRestore();
    clearInterval(timer);
    expect(turns.length).toBeGreaterThan(0);
  });

  it("gives up a warm-up for whatever comes after it", async () => {
    const slow = { ...tinyRunConfig, batchPairs: 24, accumulationSteps: 4 };
    const warmUp = session.warmUp({ config: slow });
    const next = runToEnd({ steps: 1 });
    expect(await warmUp).toEqual({ secondsPerStep: null });
    expect(await next).toBe("done");
    const second = session.warmUp({ config: slow });
    await session.loadModel({ id: "local", files: tinyModelFiles(2), weights: "keep" });
    expect(await second).toEqual({ secondsPerStep: null });
  });

  it("does not stop a run to measure its speed", async () => {
    await start({ steps: 4 });
    expect(await session.warmUp({ config: tinyRunConfig })).toEqual({ secondsPerStep: null });
    expect((await heard(isPhase("done", "stopped"))).phase).toBe("done");
  });
});

describe("a run", () => {
  it("tells its story in order", async () => {
    expect(await runToEnd()).toBe("done");
    const phases = eventsOf("phase").map(({ phase }) => phase);
    const words = phases.filter((phase, index) => phase !== phases[index - 1]);
    expect(words).toEqual([
      "caching-ref",
      "evaluating", // step 0: held-out pairs and samples
      "training",
      "evaluating", // samples after step 1
      "training",
      "evaluating", // after step 2
      "training",
      "evaluating", // held-out pairs after step 3
      "training",
      "evaluating", // samples after step 4
      "training",
      "evaluating", // held-out pairs after step 6
      "saving",
      "evaluating", // samples at the end
      "done",
    ]);
    expect(stepsHeard().map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    const times = stepsHeard().map(({ activeMs }) => activeMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(stepsHeard()[0]?.metrics["loss"]).toBeCloseTo(Math.LN2, 6);
    expect(eventsOf("evaluation").map(({ step }) => step)).toEqual([0, 3, 6]);
    expect(eventsOf("room").map(({ room }) => room)).toMatchObject([{ keeps: "everything", bytes: 0 }]);
    expect(eventsOf("samples").map(({ step }) => step)).toEqual([0, 1, 2, 4, 6]);
    expect(eventsOf("checkpoint").map(({ checkpoint }) => checkpoint.step)).toEqual([6]);
  });

  it("never speaks of a step before that step was told", async () => {
    await runToEnd();
    let told = 0;
    const spoken: [number, number][] = [];
    for (const event of events) {
      if (event.type === "steps") told = event.steps.at(-1)?.step ?? told;
      if (event.type === "checkpoint") spoken.push([event.checkpoint.step, told]);
      if (event.type === "evaluation" || event.type === "samples") spoken.push([event.step, told]);
    }
    expect(spoken).toHaveLength(9);
    for (const [step, last] of spoken) expect(step).toBe(last);
    expect(told).toBe(6);
  });

  it("tells steps in batches when they are quick", async () => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(0);
    await runToEnd({ steps: 24, evalEvery: 0, batchPairs: 1 });
    clock.mockRestore();
    const batches = eventsOf("steps").map(({ steps }) => steps.map(({ step }) => step));
    // Samples after 1, 2, 4, 8 and 16 steps, the checkpoint at 20 and the last evaluation do not wait.
    expect(batches).toEqual([
      [1],
      [2],
      [3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12, 13, 14, 15, 16],
      [17, 18, 19, 20],
      [21, 22, 23, 24],
    ]);
    // A step that took no time has no speed, rather than an infinite one.
    expect(stepsHeard()[0]?.metrics).not.toHaveProperty("performance/tokens_per_second");
  });

  it("evaluates and samples the same things before and after", async () => {
    await runToEnd();
    const [before, , after] = eventsOf("evaluation");
    expect(before?.points.pairIndex).toEqual(Int32Array.from([0, 1, 2, 3, 4, 5]));
    expect(before?.points.chosenDelta).toEqual(new Float32Array(6));
    expect(after?.metrics["eval_margins/logratio"]).toBeGreaterThan(0);
    const [first] = eventsOf("samples");
    const last = eventsOf("samples").at(-1);
    expect(last?.samples.map(({ prompt, mode }) => `${mode} ${prompt}`)).toEqual(
      first?.samples.map(({ prompt, mode }) => `${mode} ${prompt}`),
    );
    expect(first?.samples).toHaveLength(6);
    for (const { tokens, text, tokenDeltas } of first?.samples ?? []) {
      expect(tokens.join("")).toBe(text);
      expect(tokenDeltas.map(Math.abs)).toEqual(tokens.map(() => 0));
    }
  });

  it("can start with a single step", async () => {
    await session.start({ runId: "run", config: tinyRunConfig, resume: null, isStepping: true });
    expect((await heard(isPhase("paused"))).step).toBe(1);
    expect(stepsHeard()).toHaveLength(1);
    await session.stop(null);
  });

  it("pauses, takes single steps, goes on and stops", async () => {
    await start({ steps: 200, evalEvery: 0 });
    await heard(isOf("steps"));
    await session.pause(null);
    const paused = await heard(isPhase("paused"));
    const reached = stepsHeard().length;
    expect(paused.step).toBe(reached);
    for (const more of [1, 2]) {
      const from = events.length;
      await session.step(null);
      expect((await heard(isPhase("paused"), from)).step).toBe(reached + more);
    }
    expect(stepsHeard()).toHaveLength(reached + 2);
    let from = events.length;
    await session.sampleNow(null);
    expect(await heard(isOf("samples"), from)).toMatchObject({ step: reached + 2 });
    from = events.length;
    await session.setLive({ learningRate: 0.5 });
    await session.resume(null);
    await heard(isOf("steps"), from);
    await session.stop(null);
    expect(events.at(-1)).toMatchObject({ type: "phase", phase: "stopped" });
    const steps = stepsHeard();
    expect(steps.map(({ metrics }) => metrics["learning_rate"]).slice(reached + 1, reached + 3)).toEqual([
      0.01, 0.5,
    ]);
    expect(lastCheckpoint().step).toBe(steps.length);
    expect(eventsOf("phase").at(-1)?.step).toBe(steps.length);
    expect(await refusalOf(() => session.pause(null))).toMatchObject({ code: "RUN-1" });
  });

  it("keeps the step it was paused at when it is stopped there", async () => {
    await start({ steps: 50 });
    await session.step(null);
    await heard(isPhase("paused"));
    expect(eventsOf("checkpoint")).toEqual([]);
    await session.stop(null);
    expect(lastCheckpoint().step).toBe(1);
    expect(
      eventsOf("phase")
        .map(({ phase }) => phase)
        .slice(-2),
    ).toEqual(["saving", "stopped"]);
  });

  it("stops at once while the reference is still being scored", async () => {
    await start({ batchPairs: 1, steps: 50 });
    await heard(isPhase("caching-ref"));
    await session.stop(null);
    expect(eventsOf("evaluation")).toEqual([]);
    expect(events.at(-1)).toMatchObject({ phase: "stopped", step: 0 });
  });

  it("goes on from a checkpoint with the same losses", async () => {
    const settings = { steps: 23, loraDropout: 0.2, schedule: "cosine" as const, evalEvery: 10 };
    expect(await runToEnd(settings)).toBe("done");
    const whole = lossesHeard();
    const evaluated = eventsOf("evaluation").at(-1);
    const middle = eventsOf("checkpoint")[0]?.checkpoint;
    expect(middle?.step).toBe(20);
    const activeMs = middle?.activeMs ?? NaN;
    events.length = 0;
    expect(await runToEnd(settings, middle ?? null)).toBe("done");
    expect(eventsOf("phase")[0]?.phase).toBe("recovering");
    expect(eventsOf("phase").find(({ phase }) => phase === "training")?.step).toBe(20);
    expect(stepsHeard().map(({ step }) => step)).toEqual([21, 22, 23]);
    expect(lossesHeard()).toEqual(whole.slice(20));
    expect(eventsOf("evaluation").at(-1)?.points).toEqual(evaluated?.points);
    expect(eventsOf("samples").map(({ step }) => step)).toEqual([23]);
    for (const { activeMs: now, metrics } of stepsHeard()) {
      expect(now).toBeGreaterThan(activeMs);
      const tokens =
        ((metrics["performance/step_ms"] ?? NaN) / 1000) * (metrics["performance/tokens_per_second"] ?? NaN);
      // Four pairs of at most 32 tokens a side.
      expect(tokens).toBeLessThanOrEqual(4 * 2 * 32);
    }
  });

  it("can be started again while another one goes on", async () => {
    await start({ steps: 100 });
    await heard(isOf("steps"));
    const from = events.length;
    const config = { ...tinyRunConfig, steps: 2 };
    await session.start({ runId: "second", config, resume: null, isStepping: false });
    const done = await heard(isPhase("done"), from);
    expect(done.runId).toBe("second");
    expect(events.filter(isPhase("stopped")).map(({ runId }) => runId)).toEqual(["run"]);
  });

  it("gives back what it held on the device", async () => {
    const before = memory().numTensors;
    await runToEnd({ loraDropout: 0.1 });
    await session.inspectPair({ pairIndex: 0 });
    await session.exportAdapter(null);
    expect(memory().numTensors).toBe(before);
    await start({ steps: 50 });
    await heard(isOf("steps"));
    await session.stop(null);
    expect(memory().numTensors).toBe(before);
  });
});

describe("what leaves the studio", () => {
  it("is an adapter under PEFT's names, while training and after it", async () => {
    expect(await refusalOf(() => session.exportAdapter(null))).toMatchObject({ code: "RUN-1" });
    await start({ steps: 50, loraTargets: ["q_proj", "down_proj"] });
    await session.step(null);
    await heard(isPhase("paused"));
    const during = await session.exportAdapter(null);
    await session.stop(null);
    const after = await session.exportAdapter(null);
    expect(after).toEqual(during);
    const [weights, config] = ["adapter_model.safetensors", "adapter_config.json"].map(
      (wanted) => after.find(({ name }) => name === wanted)?.bytes ?? new Uint8Array(),
    );
    if (weights === undefined || config === undefined) throw new Error("A file is missing.");
    const adapter = readPeftAdapter({ weights, config });
    expect(adapter).toMatchObject({ rank: 2, alpha: 4, scale: 2, targetModules: ["down_proj", "q_proj"] });
    const shapes = [...adapter.arrays].map(([name, { shape }]) => `${name} ${shape.join("x")}`).toSorted();
    expect(shapes).toEqual(
      [0, 1].flatMap((layer) => [
        `model.layers.${layer}.mlp.down_proj.lora_A.weight 2x24`,
        `model.layers.${layer}.mlp.down_proj.lora_B.weight 16x2`,
        `model.layers.${layer}.self_attn.q_proj.lora_A.weight 2x16`,
        `model.layers.${layer}.self_attn.q_proj.lora_B.weight 16x2`,
      ]),
    );
    expect(
      [...readSafetensors(weights, "adapter_model.safetensors").keys()].every((name) =>
        name.startsWith("base_model.model."),
      ),
    ).toBe(true);
    for (const [name, { values }] of adapter.arrays) expect(values).toEqual(lastCheckpoint().tensors[name]);
  });

  it("comes with the settings it was trained with, also after other pairs were opened", async () => {
    await start({ steps: 50 });
    await session.step(null);
    await heard(isPhase("paused"));
    await session.setLive({ learningRate: 0.5 });
    const settings = async () => {
      const file = (await session.exportAdapter(null)).find(({ name }) => name === "prefscope-config.json");
      return JSON.parse(new TextDecoder().decode(file?.bytes)) as unknown;
    };
    const expected = { ...tinyRunConfig, steps: 50, learningRate: 0.5 };
    expect(await settings()).toEqual(expected);
    await session.stop(null);
    await session.loadData({ ...dataQuestion, maxTokens: 16 });
    expect(await settings()).toEqual(expected);
  });

  it("is the tuned model after full tuning, which loads again", async () => {
    await runToEnd({ tuning: "full", steps: 2 });
    const [file, ...others] = await session.exportAdapter(null);
    expect(others.map(({ name }) => name)).toEqual(["prefscope-config.json"]);
    const files = tinyModelFiles().map(({ name, bytes }) => (name === file?.name ? file : { name, bytes }));
    expect(file?.bytes).not.toEqual(tinyModelFiles().at(-1)?.bytes);
    expect(await session.loadModel({ id: "local", files, weights: "keep" })).toMatchObject({
      parameters: tinyParameters,
    });
  });

  it("belongs to the model that was trained and to no other", async () => {
    await runToEnd({ steps: 2 });
    expect(await session.exportAdapter(null)).toHaveLength(3);
    await session.loadModel({ id: "local", files: tinyModelFiles(2), weights: "keep" });
    expect(await refusalOf(() => session.exportAdapter(null))).toMatchObject({ code: "RUN-1" });
    await session.loadData(dataQuestion);
    const { chosen } = await session.inspectPair({ pairIndex: 0 });
    expect(chosen.every(({ logp, referenceLogp }) => logp === referenceLogp)).toBe(true);
  });

  it("is every token of a pair, whose differences add up to the pair's place on the map", async () => {
    const settings = { steps: 3, loraDropout: 0.3 };
    await runToEnd(settings);
    const { points } = eventsOf("evaluation").at(-1) ?? {};
    const summary = await load();
    expect(summary.heldoutPairs).toBe(6);
    events.length = 0;
    await start(settings);
    await session.step(null);
    await heard(isPhase("paused"));
    const during = await session.inspectPair({ pairIndex: 0 });
    await session.resume(null);
    await heard(isPhase("done"));
    const after: (typeof during)[] = [];
    for (let pairIndex = 0; pairIndex < 6; pairIndex++) {
      after.push(await session.inspectPair({ pairIndex }));
    }
    const deltaOf = (tokens: (typeof during)["chosen"]) =>
      tokens.reduce((sum, { logp, referenceLogp }) => sum + logp - referenceLogp, 0);
    after.forEach(({ chosen, rejected, pairIndex }) => {
      expect(deltaOf(chosen)).toBeCloseTo(points?.chosenDelta[pairIndex] ?? NaN, 4);
      expect(deltaOf(rejected)).toBeCloseTo(points?.rejectedDelta[pairIndex] ?? NaN, 4);
      expect(Math.abs(deltaOf(chosen))).toBeGreaterThan(1e-4);
    });
    expect(deltaOf(during.chosen)).not.toBeCloseTo(deltaOf(after[0]?.chosen ?? []), 4);
    const [{ chosen, text }] = [during];
    expect(chosen.map((token) => token.text).join("")).toBe(text.prompt + text.chosen);
    const prompt = chosen.filter(({ isScored }) => !isScored);
    expect(prompt.map((token) => token.text).join("")).toBe(text.prompt);
    expect(prompt.every(({ logp }) => logp === 0)).toBe(true);
    // The last scored token is the terminator, which has no text.
    expect(chosen.at(-1)).toMatchObject({ text: "", isScored: true });
  });
});

describe("refusals", () => {
  it("keep the previous model, its data and its run", async () => {
    const files = tinyModelFiles();
    const without = (name: string) => files.filter((file) => file.name !== name);
    const changed = (name: string, bytes: Uint8Array) => [...without(name), { name, bytes }];
    await start({ steps: 200, evalEvery: 0 });
    await heard(isOf("steps"));
    const tensors = memory().numTensors;
    const text = (value: string) => new TextEncoder().encode(value);
    for (const wrong of [
      without("config.json"),
      without("tokenizer.json"),
      changed("config.json", text("{")),
      changed("config.json", text('{"architectures": ["GPT2LMHeadModel"]}')),
      changed("tokenizer.json", text("{}")),
      changed("model.safetensors", text("no weights")),
    ]) {
      expect(
        await refusalOf(() => session.loadModel({ id: "local", files: wrong, weights: "keep" })),
      ).toMatchObject({
        code: "FIL-1",
      });
    }
    const weights = files.at(-1)?.bytes ?? new Uint8Array();
    const cut = changed("model.safetensors", weights.subarray(0, weights.length - 4));
    expect(
      await refusalOf(() => session.loadModel({ id: "local", files: cut, weights: "keep" })),
    ).toMatchObject({
      code: "FIL-2",
    });
    const columns = { ...dataQuestion, files: [{ name: "x.jsonl", bytes: text('{"a": 1}') }] };
    expect(await refusalOf(() => session.loadData(columns))).toMatchObject({ code: "DAT-1" });
    const rows = '{"prompt":"p","chosen":"","rejected":"b"}\n{"prompt":"p","chosen":"a","rejected":"a"}\nx';
    const unusable = { ...dataQuestion, files: [{ name: "x.jsonl", bytes: text(rows) }] };
    expect(await refusalOf(() => session.loadData(unusable))).toMatchObject({
      code: "DAT-1",
      message: expect.stringMatching(
        /3 of 3 rows were left out\. Row 1: the chosen answer is empty\. Row 2: .*identical\. Row 3: not valid JSON\./,
      ) as string,
    });
    const container = { ...dataQuestion, files: [{ name: "x.parquet", bytes: text("PAR1") }] };
    expect(await refusalOf(() => session.loadData(container))).toMatchObject({ code: "FIL-1" });
    const none = { ...dataQuestion, files: [] };
    expect(await refusalOf(() => session.loadData(none))).toMatchObject({ code: "FIL-1" });
    expect(events.some(isPhase("stopped", "failed"))).toBe(false);
    await session.pause(null);
    await heard(isPhase("paused"));
    expect(memory().numTensors).toBe(tensors);
    await session.stop(null);
    expect(await runToEnd({ steps: 1 })).toBe("done");
  });

  it("name the setting that does not fit", async () => {
    const asked = (changes: Partial<RunConfig>) => refusalOf(() => start(changes));
    expect(await asked({ method: "ppo" })).toMatchObject({
      code: "CFG-1",
      message: 'There is no method "ppo".',
    });
    expect(await asked({ params: {} })).toMatchObject({ code: "CFG-1" });
    expect(await asked({ params: { beta: 50 } })).toMatchObject({ code: "CFG-1" });
    expect(await asked({ maxTokens: 65 })).toMatchObject({ code: "CFG-1" });
    expect(await asked({ model: "story" })).toMatchObject({ code: "CFG-1" });
    expect(await asked({ data: "kind-endings" })).toMatchObject({ code: "CFG-1" });
    for (const changes of [{ objective: "kind" }, { maxTokens: 16 }, { terminator: "none" as const }]) {
      expect(await asked(changes)).toMatchObject({
        code: "CFG-1",
        message: expect.stringContaining("The pairs were read with") as string,
      });
    }
    const { problems } = await session.preflight({ config: { ...tinyRunConfig, params: {}, maxTokens: 65 } });
    expect(problems.map(({ field }) => field)).toEqual(["params.beta", "maxTokens"]);
    const mixed = { ...tinyRunConfig, secondMethod: "simpo" };
    const params = { beta: 0.1, "second.beta": 2, "second.gamma": 99 };
    const problemsOf = async (config: RunConfig) => (await session.preflight({ config })).problems;
    expect(await problemsOf({ ...mixed, params })).toEqual([
      { field: "params.second.gamma", message: "γ is 99; it goes from 0 to 5." },
    ]);
    expect(await problemsOf({ ...mixed, secondMethod: "ppo" })).toEqual([
      { field: "secondMethod", message: 'There is no method "ppo".' },
    ]);
    expect(await refusalOf(() => session.inspectPair({ pairIndex: 6 }))).toMatchObject({ code: "CFG-1" });
    expect(
      await refusalOf(() => session.loadModel({ id: "unknown", files: null, weights: "keep" })),
    ).toMatchObject({
      code: "CFG-1",
    });
    expect(events).toEqual([]);
  });

  it("about the loss surface need no run, and leave one alone", async () => {
    const question = { config: tinyRunConfig, axis: { minimum: -2, maximum: 2, cells: 5 } };
    const before = await session.lossSurface(question);
    expect(before.losses).toHaveLength(25);
    expect(before.losses[12]).toBeCloseTo(Math.LN2, 6);
    expect(before.pair.isMeasured).toBe(false);
    await start({ steps: 4 });
    expect((await session.lossSurface(question)).losses[12]).toBeCloseTo(Math.LN2, 6);
    expect((await heard(isPhase("done", "stopped"))).phase).toBe("done");
    expect((await session.lossSurface(question)).pair.isMeasured).toBe(true);
    const asked = { ...question, config: { ...tinyRunConfig, secondMethod: "ppo" } };
    expect(await refusalOf(() => session.lossSurface(asked))).toMatchObject({ code: "CFG-1" });
  });

  it("leave a run alone that goes on", async () => {
    await start({ steps: 4 });
    expect(await refusalOf(() => start({ method: "ppo" }))).toMatchObject({ code: "CFG-1" });
    expect((await heard(isPhase("done", "stopped"))).phase).toBe("done");
  });

  it("ask for a model and for data first", async () => {
    await session.open({ backend: "cpu", isSecure: true, injections: [] });
    const config = tinyRunConfig;
    for (const ask of [
      () => session.loadData(dataQuestion),
      () => session.preflight({ config }),
      () => session.warmUp({ config }),
      () => start(),
    ]) {
      expect(await refusalOf(ask)).toMatchObject({
        code: "CFG-1",
        message: expect.stringContaining("No model") as string,
      });
    }
    await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
    expect(await refusalOf(() => start())).toMatchObject({ code: "CFG-1" });
    for (const ask of [session.pause, session.resume, session.step, session.sampleNow]) {
      expect(await refusalOf(() => ask(null))).toMatchObject({ code: "RUN-1" });
    }
    expect(await refusalOf(() => session.stop(null))).toMatchObject({ code: null });
    expect(
      await refusalOf(() => session.open({ backend: "webgpu", isSecure: true, injections: [] })),
    ).toMatchObject({
      code: "GPU-1",
    });
    expect(
      await refusalOf(() => session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" })),
    ).toMatchObject({
      code: "CFG-1",
    });
  });
});

describe("faults", () => {
  it.each([
    ["nan", "dpo", "NUM-1"],
    ["nan", "sft", "NUM-1"],
    ["zero", "dpo", "NUM-2"],
    ["zero", "simpo", "NUM-2"],
  ] as const)("%s in %s ends the run with %s and the last good step", async (kind, method, code) => {
    await load([{ kind, step: 22 }]);
    const tensors = memory().numTensors;
    const params = method === "simpo" ? { beta: 2, gamma: 0.5 } : { beta: 0.1 };
    const settings = { method, params, steps: 24, evalEvery: 0 };
    expect(await runToEnd(settings)).toBe("failed");
    expect(events.at(-1)).toMatchObject({
      type: "failed",
      step: 22,
      lastGoodStep: 20,
      error: { code, details: { step: 22 } },
    });
    expect(stepsHeard()).toHaveLength(21);
    expect(memory().numTensors).toBe(tensors);
    // A fault strikes once: the run that goes on from the last good step passes the place.
    expect(await runToEnd(settings, lastCheckpoint())).toBe("done");
    expect(stepsHeard().at(-1)?.step).toBe(24);
  });

  it("of memory end the run with MEM-1 before the first step, and strike once", async () => {
    await load([{ kind: "oom", step: 1 }]);
    const tensors = memory().numTensors;
    expect(await runToEnd()).toBe("failed");
    expect(events.at(-1)).toMatchObject({ type: "failed", step: 0, error: { code: "MEM-1" } });
    expect(memory().numTensors).toBe(tensors);
    expect(await runToEnd({ batchPairs: 2, accumulationSteps: 2 })).toBe("done");
  });

  it("of the device leave the cpu, and the reason is told", async () => {
    const asked = { backend: "auto" as const, isSecure: true };
    const report = (kind: Injection["kind"], isSecure = true) =>
      session.open({ ...asked, isSecure, injections: [{ kind, step: 0 }] });
    expect(await report("no-gpu")).toMatchObject({ backend: "cpu", reason: "no-gpu-api" });
    expect(await report("no-adapter")).toMatchObject({ backend: "cpu", reason: "no-adapter" });
    expect(await report("no-gpu", false)).toMatchObject({ backend: "cpu", reason: "insecure-context" });
    const refused = (kind: Injection["kind"], isSecure = true) =>
      refusalOf(() => session.open({ backend: "webgpu", isSecure, injections: [{ kind, step: 0 }] }));
    expect(await refused("no-gpu")).toMatchObject({ code: "GPU-1" });
    expect(await refused("no-adapter")).toMatchObject({ code: "GPU-2" });
    expect(await refused("no-gpu", false)).toMatchObject({ code: "GPU-1b" });
    const chosen = await session.open({ backend: "cpu", isSecure: true, injections: [] });
    expect(chosen).toMatchObject({ backend: "cpu", label: "CPU", reason: null });
  });
});
