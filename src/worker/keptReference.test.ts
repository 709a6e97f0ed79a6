/** Reference numbers from one visit to the next: reused where they hold, and never where they do not. */
import { beforeEach, expect, it, vi } from "vitest";
import { pairKey } from "../engine/reference/referenceCache.ts";
import { tinyPairs } from "../engine/testing/tinyModel.ts";
import { StorageError, type FileStore } from "../storage/fileStore.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import type { LocalFile, ReferenceEvent, WorkerEvent } from "./protocol.ts";
import { openKeptReference } from "./keptReference.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

// Every run here takes well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

const name = "reference/local--local--";
const storage = { current: memoryStore() };
/** The session's store is the one of the test that runs. */
const store: FileStore = {
  ...storage.current,
  get isLasting() {
    return storage.current.isLasting;
  },
  read: (file) => storage.current.read(file),
  write: (file, bytes) => storage.current.write(file, bytes),
  remove: (file) => storage.current.remove(file),
  list: () => storage.current.list(),
};
const { session, events, heard } = openStudio(store);

beforeEach(() => {
  storage.current = { ...memoryStore(), isLasting: true };
});

const isReference = (event: WorkerEvent): event is ReferenceEvent => event.type === "reference";
const isEnd = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && ["done", "failed"].includes(event.phase);

const changed = (files: readonly LocalFile[], file: string, text: string) => [
  ...files.filter(({ name: other }) => other !== file),
  { name: file, bytes: new TextEncoder().encode(text) },
];

interface Visit {
  readonly model?: LocalFile[];
  readonly data?: LocalFile;
  readonly maxTokens?: number;
}

/** Opens everything anew and trains to the end; returns what was said of the reference, the phases and the losses. */
async function visit({ model = tinyModelFiles(), data = tinyDataFile(), maxTokens = 32 }: Visit = {}) {
  events.length = 0;
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: model, weights: "keep" });
  await session.loadData({
    id: "local",
    objective: "",
    files: [data],
    maxTokens,
    terminator: "auto",
    layout: "",
    columns: {},
    steps: [],
  });
  const config = { ...tinyRunConfig, steps: 2, maxTokens };
  await session.start({ runId: "run", config, resume: null, isStepping: false });
  const end = await heard(isEnd);
  // What is still being written has its turn.
  await new Promise((resolve) => setTimeout(resolve));
  return {
    told: events.filter(isReference),
    phases: events.flatMap((event) => (event.type === "phase" ? [event.phase] : [])),
    losses: events.flatMap((event) =>
      event.type === "steps" ? event.steps.map(({ metrics }) => metrics["loss"]) : [],
    ),
    end: end.phase,
  };
}

it("computes once and reuses at the next visit, to the same losses", async () => {
  const first = await visit();
  // 2 steps of 4 pairs and 6 held-out ones.
  expect(first.told).toMatchObject([{ status: "computed", pairs: 14 }]);
  expect(first.phases).toContain("caching-ref");
  const [{ bytes, ms }] = first.told as [ReferenceEvent];
  expect(ms).toBeGreaterThan(0);
  expect(await store.list()).toEqual([name]);
  expect((await store.read(name))?.length).toBe(bytes);
  const second = await visit();
  expect(second.told).toEqual([{ type: "reference", status: "reused", reason: "", pairs: 14, bytes, ms }]);
  expect(second.phases).not.toContain("caching-ref");
  expect(second.losses).toEqual(first.losses);
});

it("adds what a longer run needs to what is kept", async () => {
  await visit();
  const config = { ...tinyRunConfig, steps: 4 };
  events.length = 0;
  await session.start({ runId: "run", config, resume: null, isStepping: false });
  await heard(isEnd);
  expect(events.filter(isReference)).toMatchObject([{ status: "computed", pairs: 8 }]);
  expect((await visit()).told).toMatchObject([{ status: "reused", pairs: 22 }]);
});

it("keeps what a warm-up computed once a run has begun", async () => {
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  const files = [tinyDataFile()];
  await session.loadData({
    id: "local",
    objective: "",
    files,
    maxTokens: 32,
    terminator: "auto",
    layout: "",
    columns: {},
    steps: [],
  });
  events.length = 0;
  const config = { ...tinyRunConfig, steps: 1, evalPairs: 1, seed: 0 };
  await session.warmUp({ config });
  expect(events).toEqual([]);
  await session.start({ runId: "run", config, resume: null, isStepping: false });
  await heard(isEnd);
  expect(events.filter(isReference)).toMatchObject([{ status: "computed", pairs: 10 }]);
});

it("is written before another model takes the place of its own", async () => {
  const { write } = storage.current;
  let finish = () => {};
  storage.current = {
    ...storage.current,
    write: async (file, bytes) => {
      await new Promise<void>((resolve) => (finish = resolve));
      await write(file, bytes);
    },
  };
  await visit();
  let isLoaded = false;
  const loading = (async () => {
    await session.loadModel({ id: "local", files: tinyModelFiles(2), weights: "keep" });
    isLoaded = true;
  })();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(isLoaded).toBe(false);
  expect(await storage.current.list()).toEqual([]);
  finish();
  await loading;
  expect(await storage.current.list()).toEqual([name]);
});

const template = JSON.stringify({ bos_token: "<s>", eos_token: "</s>", add_bos_token: true });
const withTemplate = template.replace("{", '{"chat_template":"{{ bos_token }}",');
const otherTokenizer = template.replace('"add_bos_token":true', '"add_bos_token":true,"x":1');
const otherData = new TextEncoder().encode(
  new TextDecoder().decode(tinyDataFile().bytes).replaceAll("kind", "good"),
);

const others: readonly [string, Visit][] = [
  ["the model", { model: tinyModelFiles(2) }],
  ["the tokenizer", { model: changed(tinyModelFiles(), "tokenizer_config.json", otherTokenizer) }],
  ["the chat template", { model: changed(tinyModelFiles(), "tokenizer_config.json", withTemplate) }],
  ["the chat template", { model: changed(tinyModelFiles(), "chat_template.jinja", "{{ bos_token }}") }],
  ["the data or how its pairs are read", { data: { name: "b.jsonl", bytes: otherData } }],
  ["the data or how its pairs are read", { maxTokens: 16 }],
];

it.each(others)("does not reuse what was kept when %s is another", async (reason, other) => {
  const first = await visit();
  const second = await visit(other);
  expect(second.told).toMatchObject([{ status: "stale", reason, pairs: 14 }, { status: "computed" }]);
  expect(second.told[0]?.ms).toBe(first.told[0]?.ms);
  expect(second.end).toBe("done");
  // What the other circumstances gave is kept from now on.
  expect((await visit(other)).told).toMatchObject([{ status: "reused" }]);
});

it("tells a damaged file, computes again and trains", async () => {
  await visit();
  const bytes = (await store.read(name)) ?? new Uint8Array();
  await store.write(name, Uint8Array.from(bytes.subarray(0, bytes.length - 9)));
  const { told, end } = await visit();
  expect(told).toMatchObject([
    {
      status: "damaged",
      reason: `The kept reference values cannot be used: the file has ${bytes.length - 9} bytes instead of ${bytes.length}. They are computed again.`,
    },
    { status: "computed", pairs: 14 },
  ]);
  expect(end).toBe("done");
  expect((await visit()).told).toMatchObject([{ status: "reused" }]);
});

it("trains on when nothing can be kept or read, and says why", async () => {
  const full = new StorageError("Browser storage is full.", { isFull: true, cause: null });
  storage.current = { ...storage.current, write: () => Promise.reject(full) };
  const { told, end } = await visit();
  expect(told).toMatchObject([
    { status: "computed", pairs: 14 },
    { status: "notKept", pairs: 14, reason: "Browser storage is full." },
  ]);
  expect(end).toBe("done");
  storage.current = { ...storage.current, read: () => Promise.reject(new Error("It is shut.")) };
  const second = await visit();
  expect(second.told[0]).toMatchObject({
    status: "damaged",
    reason: "It is shut. The reference values are computed again.",
  });
  expect(second.end).toBe("done");
});

it("says when files do not outlive the page", async () => {
  storage.current = memoryStore();
  expect((await visit()).told).toMatchObject([{ status: "computed" }, { status: "notKept" }]);
  expect((await visit()).told).toMatchObject([{ status: "reused" }]);
});

it("keeps and counts what was computed, not what came along with the data", async () => {
  const pairs = tinyPairs(3);
  const answer = { sumLogps: -3 };
  const told: ReferenceEvent[] = [];
  const settings = {
    store,
    name: "reference/shipped",
    identity: {
      weights: "w",
      tokenizer: "t",
      template: "",
      data: "d",
      adapter: "",
      features: "",
      numerics: "cpu",
    },
    shipped: new Map(pairs.map((pair) => [pairKey(pair), { chosen: answer, rejected: answer }])),
    emit: (event: ReferenceEvent) => told.push(event),
  };
  const { cache, keep } = await openKeptReference(settings);
  const needs = { hidden: true, features: false };
  expect(cache.missing(pairs, needs)).toHaveLength(3);
  const known = { ...answer, hidden: Float32Array.of(1, 2) };
  cache.set(pairs[0]!, { chosen: known, rejected: known });
  await keep();
  const again = await openKeptReference(settings);
  expect(told).toMatchObject([
    { status: "computed", pairs: 1 },
    { status: "reused", pairs: 1 },
  ]);
  expect(again.cache.missing(pairs)).toEqual([]);
  expect(again.cache.missing(pairs, needs)).toEqual(pairs.slice(1));
});
