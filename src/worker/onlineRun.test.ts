/** Online rounds behind the wall: what is told of them, what a checkpoint within a round is worth, and judges that fail. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createServer, type Server } from "node:http";
import { memory } from "../engine/tensor/run.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { Checkpoint, Phase, WorkerEvent } from "./protocol.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

vi.setConfig({ testTimeout: 60_000 });

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
const eventsOf = <Type extends WorkerEvent["type"]>(type: Type, from = 0) =>
  events.slice(from).filter(isOf(type));

/** Two rounds of four prompts, judged by how many letters "a" an answer has. */
const online: RunConfig = {
  ...tinyRunConfig,
  evalEvery: 0,
  steps: 4,
  rounds: 2,
  onlinePrompts: 4,
  answersPerPrompt: 4,
  regeneratedShare: 0.5,
  sampleTokens: 6,
  judges: [{ judge: { kind: "words", liked: ["a", "e", "i"], disliked: ["o"] }, weight: 1 }],
  heldoutJudge: { kind: "length", words: 3 },
};

beforeEach(async () => {
  events.length = 0;
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  await session.loadData({
    id: "local",
    objective: "",
    files: [tinyDataFile()],
    maxTokens: 32,
    terminator: "auto",
    layout: "",
    columns: {},
    steps: [],
  });
});

async function runToEnd(changes: Partial<RunConfig> = {}, resume: Checkpoint | null = null): Promise<Phase> {
  const from = events.length;
  await session.start({ runId: "run", config: { ...online, ...changes }, resume, isStepping: false });
  return (await heard(isPhase("done", "stopped", "failed"), from)).phase;
}

/** What does not depend on the clock. */
const timeless = (record: EventOf<"round">["record"]) => ({
  ...record,
  seconds: null,
  metrics: Object.fromEntries(Object.entries(record.metrics).filter(([name]) => !name.endsWith("_ms"))),
});
const finishedRounds = (from = 0) =>
  eventsOf("round", from)
    .filter(({ record }) => record.isOver)
    .map(({ record }) => timeless(record));
const losses = (from = 0) =>
  eventsOf("steps", from).flatMap(({ steps }) => steps.map(({ metrics }) => metrics["loss"]));

/** Steps that answers to the sampled prompts were told of, in order. */
const samples = (from = 0) => eventsOf("samples", from).map(({ step, samples: told }) => ({ step, told }));
const stageOf = ({ rounds }: Checkpoint) => (JSON.parse(rounds?.state ?? "{}") as { stage: string }).stage;
/** Samples that a run has yet to tell of after a checkpoint; that of the end stands for a run that has told all. */
const samplesAfter = (all: ReturnType<typeof samples>, checkpoint: Checkpoint) =>
  all.filter(
    ({ step }) => step > checkpoint.step || (step === checkpoint.step && stageOf(checkpoint) === "evaluate"),
  );

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a run of two rounds", () => {
  it("tells of rounds, answers to held-out prompts and steps, and frees what it held", async () => {
    const before = memory().numTensors;
    expect(await runToEnd()).toBe("done");
    const rounds = finishedRounds();
    expect(rounds.map(({ round, step }) => [round, step])).toEqual([
      [0, 0],
      [1, 2],
    ]);
    expect(rounds.map(({ prompts }) => prompts.filter(({ isRegenerated }) => isRegenerated).length)).toEqual([
      4, 2,
    ]);
    expect(eventsOf("onlineEvaluation").map(({ evaluation }) => evaluation.rounds)).toEqual([0, 1, 2]);
    expect(losses()).toHaveLength(4);
    const phases = eventsOf("phase").map(({ phase }) => phase);
    expect(phases).toContain("generating");
    expect(phases).toContain("judging");
    expect(memory().numTensors).toBe(before);
  });

  it("goes on from every checkpoint, also within a round, as if nothing had happened", async () => {
    // So slow a clock that no checkpoint is held back.
    let ms = 0;
    vi.spyOn(performance, "now").mockImplementation(() => (ms += 5000));
    await runToEnd();
    const whole = { rounds: finishedRounds(), losses: losses(), samples: samples() };
    const checkpoints = eventsOf("checkpoint").map(({ checkpoint }) => checkpoint);
    const withinRounds = checkpoints.filter(({ rounds }) => rounds !== null);
    expect(withinRounds.length).toBeGreaterThan(3);
    for (const resume of withinRounds) {
      const from = events.length;
      expect(await runToEnd({}, structuredClone(resume))).toBe("done");
      const again = finishedRounds(from);
      expect(again).toEqual(whole.rounds.slice(whole.rounds.length - again.length));
      expect(losses(from)).toEqual(whole.losses.slice(resume.step));
      expect(samples(from)).toEqual(samplesAfter(whole.samples, resume));
    }
  });

  it("tells of no checkpoint twice, and of those within a round not one upon another", async () => {
    vi.spyOn(performance, "now").mockReturnValue(1);
    await runToEnd();
    const checkpoints = eventsOf("checkpoint").map(({ checkpoint }) => checkpoint);
    // The first of every step that has one, and the end: all others come too soon.
    expect(checkpoints.map((checkpoint) => [checkpoint.step, stageOf(checkpoint)])).toEqual([
      [0, "over"],
      [2, "evaluate"],
      [4, "evaluate"],
      [4, "over"],
    ]);
  });

  it("gives the pairs of a round as a data set with their scores", async () => {
    await runToEnd();
    const [{ record } = { record: null }] = eventsOf("round").filter(
      ({ record: { isOver, round } }) => isOver && round === 1,
    );
    const files = await session.exportRound({ record: record! });
    const rows = files.flatMap(({ bytes }) =>
      new TextDecoder()
        .decode(bytes)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    );
    expect(rows).toEqual(
      record!.prompts.flatMap(({ prompt, now }) =>
        now === null
          ? []
          : [
              {
                prompt,
                chosen: now.chosen,
                rejected: now.rejected,
                score_chosen: now.chosenScore,
                score_rejected: now.rejectedScore,
              },
            ],
      ),
    );
  });

  it("pauses within a round", async () => {
    const from = events.length;
    await session.start({ runId: "run", config: online, resume: null, isStepping: false });
    await heard(isPhase("generating"), from);
    await session.pause(null);
    await heard(isPhase("paused"), from);
    expect(losses(from)).toEqual([]);
    await session.resume(null);
    expect((await heard(isPhase("done", "failed"), from)).phase).toBe("done");
  });
});

describe("a judge behind an address", () => {
  let server: Server | null = null;
  let answers = 0;
  /** Requests of the first round that the judge fails; held-out answers are judged before it, and well. */
  let illAt = (_request: number) => false;
  let ofRound = 0;

  const judged: Partial<RunConfig> = {
    judges: [{ judge: { kind: "endpoint" }, weight: 1 }],
  };

  async function listen(): Promise<string> {
    server = createServer((request, response) => {
      request.resume();
      const isIll = events.some(isOf("onlineEvaluation")) && illAt(ofRound++);
      answers += 1;
      response.statusCode = isIll ? 400 : 200;
      const content = String(answers % 10);
      response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }] }));
    });
    const listening = server;
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    const address = listening.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/v1`;
  }

  beforeEach(async () => {
    [answers, ofRound] = [0, 0];
    const url = await listen();
    await session.setEndpoint({ endpoint: { url, model: "m", key: "", rubric: "kind" } });
  });
  afterEach(async () => {
    await new Promise((resolve) => server?.close(resolve));
  });

  it("stops the round where it fails, says for which answers, and is asked again", async () => {
    illAt = (request) => request === 1 || request === 2;
    const from = events.length;
    await session.start({ runId: "run", config: { ...online, ...judged }, resume: null, isStepping: false });
    await heard(isPhase("paused"), from);
    const { failures } = eventsOf("round", from).at(-1)!.record;
    expect(failures).toHaveLength(2);
    expect(failures[0]!.reason).toMatch(/400/);
    const again = events.length;
    await session.retryJudges(null);
    await heard(isPhase("judging"), again);
    expect((await heard(isPhase("done", "failed"), from)).phase).toBe("done");
    expect(finishedRounds(from)[0]!.failures).toEqual([]);
  });

  it("is asked again by a run that takes one step at a time, which waits after its step", async () => {
    illAt = (request) => request === 1;
    const from = events.length;
    await session.start({ runId: "run", config: { ...online, ...judged }, resume: null, isStepping: true });
    await heard(isPhase("paused"), from);
    const again = events.length;
    await session.retryJudges(null);
    await heard(isPhase("paused", "done"), again);
    expect(losses(from)).toHaveLength(1);
    await session.stop(null);
  });

  it("goes on with what it has", async () => {
    illAt = (request) => request < 5;
    const from = events.length;
    await session.start({ runId: "run", config: { ...online, ...judged }, resume: null, isStepping: false });
    await heard(isPhase("paused"), from);
    await session.resume(null);
    expect((await heard(isPhase("done", "failed"), from)).phase).toBe("done");
    const [first] = finishedRounds(from);
    expect(first!.failures).toHaveLength(5);
    expect(first!.prompts[0]).toMatchObject({ now: null, reason: "judgeFailed" });
  });

  it("is stopped while a person is awaited", async () => {
    const before = memory().numTensors;
    const from = events.length;
    const config: RunConfig = { ...online, judges: [{ judge: { kind: "person" }, weight: 1 }] };
    await session.start({ runId: "run", config, resume: null, isStepping: false });
    const asked = await heard(isOf("judgement"), from);
    expect(asked.question!.groups).toHaveLength(4);
    // Nothing waits behind the person unheard.
    await expect(session.inspectPair({ pairIndex: 0 })).rejects.toThrow(/waits for your judgement/);
    await session.stop(null);
    expect((await heard(isPhase("stopped", "failed", "done"), from)).phase).toBe("stopped");
    expect(eventsOf("judgement", from).at(-1)!.question).toBeNull();
    expect(memory().numTensors).toBe(before);
  });
});
