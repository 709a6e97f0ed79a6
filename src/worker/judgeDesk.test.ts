/** Reward models, judges that are tried, and the judges of a run. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { placeRewardModel } from "../engine/rewardModel/rewardModel.ts";
import { readRewardModel } from "../engine/rewardModel/rewardFiles.ts";
import { write } from "../engine/tensor/run.ts";
import { distinctWindows } from "../engine/models/config.ts";
import { referenceWeights, type Weights } from "../engine/models/weights.ts";
import { createPolicy } from "../engine/training/policy.ts";
import { scoreBatch } from "../engine/training/scoring.ts";
import { uploadBatch } from "../engine/training/deviceBatch.ts";
import { flatBatch } from "../engine/data/batch.ts";
import { reportError } from "./errorReport.ts";
import type { SeenPolicy } from "./featureCorpora.ts";
import { createJudgeDesk } from "./judgeDesk.ts";
import { openTinyModel } from "./judges/openedModel.testing.ts";
import type { OwnModel } from "./keptReference.ts";
import type { ExportedFile, RewardModelSettings, RewardModelSummary, WorkerEvent } from "./protocol.ts";
import type { OwnData } from "./runSettings.ts";
import { tinyRunConfig } from "./tinyStudio.testing.ts";

// Every training here takes well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

const settings: RewardModelSettings = {
  label: "Kind or sad",
  steps: 6,
  batchPairs: 4,
  learningRate: 0.02,
  loraRank: 2,
  loraAlpha: 4,
  centering: 0.01,
  seed: 3,
};
const never = new AbortController().signal;

let owner: OwnModel;
let data: OwnData;
/** A reward model as it was trained, saved, and what was said meanwhile. */
let made: {
  readonly summary: RewardModelSummary;
  readonly files: ExportedFile[];
  readonly events: WorkerEvent[];
};
beforeAll(async () => {
  ({ owner, data } = await openTinyModel());
  const { handlers, events } = openDesk();
  const summary = await handlers.trainRewardModel({ settings });
  made = { summary, events, files: [...(await handlers.saveRewardModel({ id: summary.id }))] };
});

/** A desk beside the loaded model, with files of its own. */
function openDesk(
  files: Readonly<Record<string, Uint8Array>> = {},
  more: Pick<Parameters<typeof createJudgeDesk>[0], "door"> = {},
) {
  const events: WorkerEvent[] = [];
  const state = { isRunning: false, model: owner, policy: null as SeenPolicy | null };
  const fetched: string[] = [];
  const desk = createJudgeDesk({
    model: () => state.model,
    data: () => data,
    fetchFile: async (path) => {
      fetched.push(path);
      const file = files[path];
      if (file === undefined) throw new Error(`"${path}" could not be loaded (404).`);
      return file;
    },
    emit: (event) => events.push(event),
    alone: (change) => change(),
    withPolicy: (look) => look(state.policy),
    isRunning: () => state.isRunning,
    ...more,
  });
  return { ...desk, events, state, fetched };
}

async function refusal(asked: () => unknown): Promise<string> {
  try {
    await asked();
  } catch (error) {
    return reportError(error).message;
  }
  throw new Error("It was not refused.");
}

describe("reward models", () => {
  it("are trained on the loaded pairs, told step by step, measured, and judge as their numbers say", async () => {
    const { summary, events, files } = made;
    const { handlers } = openDesk();
    await handlers.openRewardModel({ files });
    expect(summary).toMatchObject({ label: "Kind or sad", origin: "trained", problem: "" });
    expect(summary.quality).toMatchObject({
      data: data.summary.label,
      trainPairs: data.train.length,
      heldoutPairs: data.heldout.length,
    });
    const told = events.filter((event) => event.type === "rewardModel");
    expect(told[0]).toMatchObject({ step: 1, steps: 6, loss: expect.closeTo(Math.LN2, 1) });
    expect(told.at(-1)).toMatchObject({ step: 6 });

    const rows = data.trainRows.slice(0, 4).map(({ prompt, chosen }) => ({
      prompt: prompt as string,
      answer: chosen as string,
    }));
    const judge = { kind: "rewardModel", id: summary.id } as const;
    const verdicts = await handlers.scoreAnswers({ judge, items: [...rows, { prompt: "the", answer: "" }] });
    // The saved file, read and asked about the loaded pairs' own tokens.
    const placed = placeRewardModel(owner.model, (await readRewardModel(files, owner.model)).reward);
    const pairs = data.train.slice(0, 4).map(({ prompt, chosen }) => ({ prompt, answer: chosen }));
    const rewards = [...(await placed.score(pairs))];
    placed.dispose();
    expect(verdicts.slice(0, 4)).toEqual(rewards.map((score) => ({ score: expect.closeTo(score, 4) })));
    expect(new Set(rewards).size).toBe(4);
    expect(verdicts[4]).toEqual({ reason: expect.stringContaining("has no tokens") });
  });

  it("have the same id once they are saved and opened again, and can be removed", async () => {
    const { summary: trained, files } = made;
    const elsewhere = openDesk();
    const opened = await elsewhere.handlers.openRewardModel({ files });
    expect(opened).toMatchObject({
      id: trained.id,
      label: "Kind or sad",
      origin: "opened",
      quality: trained.quality,
    });
    const ids = async () => {
      const { rewardModels } = await elsewhere.handlers.listJudges(null);
      return rewardModels.filter(({ origin }) => origin !== "embedded").map(({ id }) => id);
    };
    expect(await ids()).toEqual([trained.id]);
    await elsewhere.handlers.removeRewardModel({ id: trained.id });
    expect(await ids()).toEqual([]);
    expect(await refusal(() => elsewhere.handlers.removeRewardModel({ id: trained.id }))).toContain(
      "There is no reward model",
    );
    expect(await refusal(() => elsewhere.handlers.removeRewardModel({ id: "story-kind" }))).toContain(
      "stays",
    );
    await expect(elsewhere.handlers.openRewardModel({ files: files.slice(1) })).rejects.toThrow("missing");
  });

  it("are stopped with nothing left, and one is trained at a time", async () => {
    const { handlers, events } = openDesk();
    const training = refusal(() => handlers.trainRewardModel({ settings: { ...settings, steps: 100_000 } }));
    expect(await refusal(() => handlers.trainRewardModel({ settings }))).toContain("being trained already");
    await vi.waitFor(() => expect(events.length).toBeGreaterThan(0));
    await handlers.stopRewardModel(null);
    expect(await training).toBe("The training was stopped: nothing of it is kept.");
    const { rewardModels } = await handlers.listJudges(null);
    expect(rewardModels.every(({ origin }) => origin === "embedded")).toBe(true);
    expect((await handlers.trainRewardModel({ settings: { ...settings, steps: 1 } })).origin).toBe("trained");
  });

  it("are not trained while a run goes on, nor with settings out of range", async () => {
    const { handlers, state } = openDesk();
    const refused = (change: Partial<RewardModelSettings>) =>
      refusal(() => handlers.trainRewardModel({ settings: { ...settings, ...change } }));
    expect(await refused({ steps: 0 })).toBe("The number of steps is 0: it goes from 1 to 100000.");
    expect(await refused({ learningRate: 0 })).toBe("The learning rate is 0: it goes above 0 to 1.");
    expect(await refused({ loraRank: 1e9 })).toContain("The rank is 1000000000");
    expect(await refused({ centering: NaN })).toContain("is NaN");
    state.isRunning = true;
    expect(await refused({})).toContain("A run is under way");
  });

  it("that come along are fetched once, and for their own model alone", async () => {
    const desk = openDesk(
      Object.fromEntries(made.files.map(({ name, bytes }) => [`rewards/story-kind/${name}`, bytes])),
    );
    const listed = async () =>
      (await desk.handlers.listJudges(null)).rewardModels.find((one) => one.id === "story-kind");
    expect(await listed()).toMatchObject({
      label: "Kind (reward model)",
      quality: null,
      problem: 'The reward model "Kind (reward model)" belongs to the model "story", and "local" is loaded.',
    });
    expect(desk.fetched).toEqual([]);
    desk.state.model = { ...owner, id: "story" };
    expect(await listed()).toMatchObject({ problem: "", quality: { heldoutPairs: data.heldout.length } });
    const first = desk.fetched.filter((path) => path.startsWith("rewards/story-kind/"));
    await listed();
    expect(desk.fetched.filter((path) => path.startsWith("rewards/story-kind/"))).toEqual(first);
    const { rewardModels } = await desk.handlers.listJudges(null);
    expect(rewardModels.find((one) => one.id === "story-helpful")?.problem).toContain(
      "could not be loaded (404)",
    );
  });

  it("stay with the weights they were trained on", async () => {
    const desk = openDesk();
    const { id } = await desk.handlers.openRewardModel({ files: made.files });
    desk.state.model = { ...owner, prints: { ...owner.prints, weights: "others" } };
    const { rewardModels } = await desk.handlers.listJudges(null);
    expect(rewardModels.at(-1)).toMatchObject({
      id,
      problem: expect.stringContaining("belongs to the model"),
    });
    const config = {
      ...tinyRunConfig,
      rounds: 2,
      judges: [{ judge: { kind: "rewardModel", id } as const, weight: 1 }],
    };
    expect(desk.problemsOf(config)).toEqual([
      { field: "judges", message: expect.stringContaining("belongs to the model") },
    ]);
    expect(await refusal(() => desk.judgesFor(config, { runId: "r", emit: () => undefined }))).toContain(
      "belongs to the model",
    );
  });
});

describe("a judge that is tried", () => {
  it("scores texts as they stand, and is refused with what it lacks", async () => {
    const { handlers } = openDesk();
    const items = [
      { prompt: "the a", answer: " is kind. Kind!" },
      { prompt: "the b", answer: " is sad" },
    ];
    const words = { kind: "words", liked: ["kind"], disliked: ["sad"] } as const;
    const tried = (judge: Parameters<typeof handlers.scoreAnswers>[0]["judge"]) =>
      handlers.scoreAnswers({ judge, items });
    expect(await tried({ ...words, liked: [...words.liked], disliked: [...words.disliked] })).toEqual([
      { score: 2 },
      { score: -1 },
    ]);
    expect(await refusal(() => tried({ kind: "pattern", pattern: "(" }))).toContain("no regular expression");
    expect(await refusal(() => tried({ kind: "endpoint" }))).toContain("no address yet");
    expect(await refusal(() => tried({ kind: "person" }))).toContain("nothing to try");
    const many = Array.from({ length: 257 }, () => ({ prompt: "a", answer: "b" }));
    const judge = { kind: "length", words: 3 } as const;
    expect(await refusal(() => handlers.scoreAnswers({ judge, items: many }))).toContain("at most 256");
  });
});

describe("the policy as a judge", () => {
  it("scores with its log-probs less the model's, and is asked for once there is one", async () => {
    const desk = openDesk();
    const row = data.trainRows[0] as OwnData["trainRows"][number];
    const items = [{ prompt: row.prompt as string, answer: row.chosen as string }];
    const tried = () => desk.handlers.scoreAnswers({ judge: { kind: "implicit" }, items });
    expect(await refusal(tried)).toContain("train at least one step");
    const policy = createPolicy(owner.model, tinyRunConfig);
    for (const { tensor } of policy.trainables)
      write(
        tensor,
        Float32Array.from({ length: tensor.size }, (_, at) => 0.3 * Math.sin(at)),
      );
    desk.state.policy = { weights: policy.weights, run: 1, step: 1 };
    const { prompt, chosen } = data.train[0] as OwnData["train"][number];
    const sequence = { tokens: Int32Array.from([...prompt, ...chosen]), scoredFrom: prompt.length };
    const batch = uploadBatch(flatBatch([sequence]), distinctWindows(owner.model.config));
    const sumOf = async (weights: Weights) =>
      (await scoreBatch(owner.model, weights, batch)).logps.reduce((sum, logp) => sum + logp, 0);
    const expected = (await sumOf(policy.weights)) - (await sumOf(referenceWeights(owner.model)));
    expect(Math.abs(expected)).toBeGreaterThan(0.01);
    expect(await tried()).toEqual([{ score: expect.closeTo(expected, 4) }]);
    batch.dispose();
    policy.dispose();
  });
});

describe("the judges of a run", () => {
  it("ask the language model with the key that was typed in last, and not after it was forgotten", async () => {
    const keys: (string | null)[] = [];
    const fetch = async (_: string, init?: RequestInit) => {
      keys.push(new Headers(init?.headers).get("authorization"));
      return Response.json({ choices: [{ message: { content: "7" } }] });
    };
    const door = { fetch, isOffline: () => false, wait: async () => undefined, timeoutMs: 1000 };
    const desk = openDesk({}, { door });
    const endpoint = { url: "https://llm.test/v1", model: "tiny", key: "first", rubric: "Be kind." };
    await desk.handlers.setEndpoint({ endpoint });
    const judges = [{ judge: { kind: "endpoint" } as const, weight: 1 }];
    const config = { ...tinyRunConfig, rounds: 2, judges };
    const opened = await desk.judgesFor(config, { runId: "r", emit: () => undefined });
    const ids = new Int32Array();
    const score = () =>
      opened.judges[0]?.judge.score([{ prompt: "p", answer: "a", promptIds: ids, answerIds: ids }], never);
    expect(await score()).toEqual([{ score: expect.closeTo(0.4, 12) }]);
    await desk.handlers.setEndpoint({ endpoint: { ...endpoint, key: "second" } });
    await score();
    await desk.handlers.setEndpoint({ endpoint: null });
    expect(await score()).toEqual([{ reason: expect.stringContaining("no address any more") }]);
    expect(keys).toEqual(["Bearer first", "Bearer second"]);
    opened.dispose();
  });

  it("are those of its configuration; a person is asked under the run's name", async () => {
    const desk = openDesk();
    const { id } = await desk.handlers.openRewardModel({ files: made.files });
    const config = {
      ...tinyRunConfig,
      rounds: 2,
      judges: [
        { judge: { kind: "rewardModel", id } as const, weight: 2 },
        { judge: { kind: "person" } as const, weight: 0.5 },
        { judge: { kind: "implicit" } as const, weight: 1 },
      ],
      heldoutJudge: { kind: "length", words: 3 } as const,
    };
    expect(desk.problemsOf(config)).toEqual([]);
    const { judges, heldoutJudge, dispose } = await desk.judgesFor(config, {
      runId: "r7",
      emit: (event) => desk.events.push(event),
    });
    expect(judges.map(({ judge: { spec, label }, weight }) => [spec.kind, label, weight])).toEqual([
      ["rewardModel", "Kind or sad", 2],
      ["person", "You", 0.5],
      ["implicit", "The policy itself", 1],
    ]);
    expect(heldoutJudge?.spec).toEqual({ kind: "length", words: 3 });
    const { prompt, chosen } = data.train[0] as OwnData["train"][number];
    const answer = (text: string) => ({ prompt: "p", answer: text, promptIds: prompt, answerIds: chosen });
    const asking = judges[1]?.judge.score([answer("a"), answer("b")], never);
    const event = desk.events.findLast(({ type }) => type === "judgement") as
      Extract<WorkerEvent, { type: "judgement" }> | undefined;
    expect(event?.runId).toBe("r7");
    const { id: asked = 0, groups = [] } = event?.question ?? {};
    const best = groups[0]?.answers.indexOf("b") ?? 0;
    await desk.handlers.giveJudgement({ id: asked, choices: [{ best, worst: 1 - best }] });
    expect(await asking).toEqual([{ score: -1 }, { score: 1 }]);
    const long = { ...answer("long"), answerIds: new Int32Array(owner.model.config.maxPositions) };
    expect(await judges[0]?.judge.score([long, answer("a")], never)).toEqual([
      { reason: expect.stringContaining("the model reads") },
      { score: expect.any(Number) },
    ]);
    dispose();
  });
});
