/** What a session still knows of a run after its pairs, its weights and its adapters were changed. */
import { beforeEach, expect, it } from "vitest";
import { allBytes } from "../engine/files/fileBytes.ts";
import { memory } from "../engine/tensor/run.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { reportError } from "./errorReport.ts";
import type { SaeTrainingEvent, WorkerEvent } from "./protocol.ts";
import {
  openStudio,
  tinyDataFile,
  tinyModelFiles,
  tinyRunConfig,
  type Studio,
} from "./tinyStudio.testing.ts";

const data = {
  id: "local",
  objective: "",
  files: [tinyDataFile()],
  maxTokens: 32,
  terminator: "auto" as const,
  layout: "",
  columns: {},
  steps: [],
};

const swept: string[] = [];
const studio = openStudio({
  ...memoryStore(),
  removeFolder: async (name) => {
    swept.push(name);
  },
});
beforeEach(async () => {
  const { session } = studio;
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  await session.loadData(data);
});

const isEnd = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && event.phase === "done";
const hasStatus =
  (status: SaeTrainingEvent["status"]) =>
  (event: WorkerEvent): event is SaeTrainingEvent =>
    event.type === "sae" && event.status === status;

async function train(): Promise<void> {
  const config = { ...tinyRunConfig, steps: 2, evalEvery: 0 };
  const from = studio.events.length;
  await studio.session.start({ runId: "run", config, resume: null, isStepping: false });
  await studio.heard(isEnd, from);
}

async function exported(): Promise<Map<string, string>> {
  const files = await studio.session.exportModel({ kind: "adapter", isZip: false });
  const texts = files.map(async ({ name, bytes }) => {
    const text = new TextDecoder().decode(await allBytes(bytes));
    return [name, text] as const;
  });
  return new Map(await Promise.all(texts));
}

it("gives out what stands on the model once that is another function than the last run's", async () => {
  const { session } = studio;
  await train();
  const { id } = await session.keepAdapter({ label: "kind" });
  expect((await exported()).has("training_args.json")).toBe(true);
  await session.useAdapters({ adapters: [{ id, scale: 0.5 }] });
  const files = await exported();
  expect(files.has("training_args.json")).toBe(false);
  expect(files.get("README.md")).toContain("kind");
});

it("describes a run with the pairs that it was trained on, whatever was loaded since", async () => {
  await train();
  await studio.session.loadData({ ...data, files: [{ ...tinyDataFile(), name: "others.jsonl" }] });
  const card = (await exported()).get("README.md");
  expect(card).toContain("pairs.jsonl");
  expect(card).not.toContain("others.jsonl");
});

it("starts no run on weights that lie otherwise on the device than the setup says", async () => {
  const start = studio.session.start({
    runId: "run",
    config: { ...tinyRunConfig, baseWeights: "q4" },
    resume: null,
    isStepping: false,
  }) as Promise<null>;
  expect(await start.catch(reportError)).toMatchObject({
    code: "CFG-1",
    message: 'The base weights were loaded as "keep", and the setup asks for "q4": load the model again.',
  });
});

it("forgets a paused training of an autoencoder with the adapters that it was paused on, and with no refusal", async () => {
  const { session, heard } = studio;
  await train();
  const { id } = await session.keepAdapter({ label: "kind" });
  const settings = { layer: 1, width: 24, k: 4, steps: 4000, batchRows: 64, learningRate: 0.01, seed: 3 };
  await session.trainSae({ settings, isContinued: false, texts: null });
  await heard(hasStatus("training"));
  await session.pauseSae(null);
  const unknown = session.useAdapters({ adapters: [{ id: "adapter:0", scale: 1 }] }) as Promise<unknown>;
  await expect(unknown).rejects.toThrow("no adapter");
  await session.trainSae({ settings, isContinued: true, texts: null });
  await session.pauseSae(null);
  const config = { ...tinyRunConfig, steps: 1, adapters: [{ id, scale: 1 }] };
  await session.start({ runId: "next", config, resume: null, isStepping: false });
  await session.stop(null);
  const goOn = async () => session.trainSae({ settings, isContinued: true, texts: null });
  await expect(goOn()).rejects.toThrow("No training is paused");
});

it("makes one export after another, because the next sweeps what the last one made", async () => {
  await train();
  swept.length = 0;
  await Promise.all(
    [1, 2].map(async () => {
      await exported();
      swept.push("made");
    }),
  );
  expect(swept).toEqual(["leaving", "made", "leaving", "made"]);
});

it("keeps the model and leaves nothing of another whose files go while they are read", async () => {
  const { session } = studio;
  const tensors = memory().numTensors;
  const [config, tokenizer, settings, weights] = tinyModelFiles(2);
  let looks = 0;
  const going = {
    name: "tokenizer_config.json",
    get bytes() {
      looks += 1;
      return looks > 1 ? new TextEncoder().encode("gone") : settings!.bytes;
    },
  };
  const files = [config!, tokenizer!, going, weights!];
  const loading = session.loadModel({ id: "local", files, weights: "keep" }) as Promise<unknown>;
  await expect(loading).rejects.toThrow("JSON");
  expect(memory().numTensors).toBe(tensors);
  await train();
});
