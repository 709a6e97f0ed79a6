/** Models and adapters that are kept: through boot, use, downloads and a new trainer. */
import { strToU8, zipSync } from "fflate";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { DownloadEvent, ErrorReport } from "../worker/protocol.ts";
import { applyStack, deleteAdapter, scaleAdapter, toggleAdapter, useStackStore } from "./adapterStack.ts";
import { train } from "./actions.ts";
import { boot } from "./boot.ts";
import {
  cancelDownload,
  downloadModel,
  pauseDownload,
  retryDownload,
  useDownloadStore,
} from "./downloads.ts";
import { edit } from "./editing.ts";
import { chooseDiskFiles, useDiskStore } from "./diskModel.ts";
import { hubData } from "./dataAnswers.ts";
import { takeSource } from "./dataSources.ts";
import { editHub, hubOffer, lookAtHub, useHubStore } from "./hub.ts";
import { kindOfFiles, modelFilesOf, openFiles, openModel, openRefusedModel } from "./localFiles.ts";
import { refreshPreflight, warmUp } from "./loading.ts";
import { useMessageStore } from "./messageStore.ts";
import { restartTrainer } from "./recovery.ts";
import { history, useRunStore } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { keepModel, removeFromShelf } from "./shelf.ts";
import { useShelfStore } from "./shelfStore.ts";
import { deleteModel, takeModel } from "./takeOver.ts";
import { testAnswers, TestTrainer } from "./testTrainer.ts";

const shelfId = "hub:acme/tiny@abc1234";
const files = testAnswers.downloadModel.files;
let trainers: TestTrainer[] = [];
const trainer = () => trainers.at(-1)!;
const setup = () => useSetupStore.getState();
const names = () => trainer().asked.map(({ name }) => name);
const messages = () => useMessageStore.getState().messages;
const download = () => useDownloadStore.getState()[shelfId];
const failure = (code: ErrorReport["code"], message: string): ErrorReport => ({
  name: "E",
  code,
  message,
  details: {},
});
const stores = [
  useRunStore,
  useSetupStore,
  useMessageStore,
  useShelfStore,
  useStackStore,
  useDownloadStore,
  useHubStore,
  useDiskStore,
].map((store) => [store, store.getState()] as const);

beforeEach(() => {
  vi.useFakeTimers();
  trainers = [];
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  history.clear();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function bootStudio(hash = ""): Promise<void> {
  const page = { hash, href: "http://localhost/" };
  vi.stubGlobal("location", page);
  vi.stubGlobal("window", {
    addEventListener: () => undefined,
    history: { replaceState: (_state: unknown, _title: string, link: string) => (page.hash = link) },
  });
  const createPort = () => {
    trainers.push(new TestTrainer());
    return trainer().port;
  };
  await boot({ createPort, search: "", isSecure: true });
  await vi.advanceTimersByTimeAsync(0);
}

const sayTraining = () => {
  const runId = useRunStore.getState().runId!;
  trainer().say({ type: "phase", runId, phase: "training", step: 1, progress: null });
};

const settle = () => vi.advanceTimersByTimeAsync(300);

it("offers complete models of the shelf beside those of the studio, once", async () => {
  await bootStudio();
  const offered = () => setup().description!.models.map(({ id }) => id);
  const before = testAnswers.describe.models.map(({ id }) => id);
  expect(offered()).toEqual([...before, shelfId]);
  const { listShelf } = testAnswers;
  testAnswers.listShelf = {
    ...listShelf,
    models: listShelf.models.map((model) => ({ ...model, presentBytes: model.totalBytes - 1 })),
  };
  await removeFromShelf("adapter:9", "an adapter");
  testAnswers.listShelf = listShelf;
  expect(offered()).toEqual(before);
});

it("loads a model that a link names from the shelf, and skips one that is not there", async () => {
  await bootStudio(`#/train?model=${encodeURIComponent(shelfId)}&baseWeights=q4`);
  expect(trainer().questions("loadModel")).toEqual([{ id: shelfId, files: null, weights: "q4" }]);
  expect(decodeURIComponent(location.hash)).toContain(`model=${shelfId}`);
  expect(messages()).toEqual([]);
});

it("says of a link's model that is on no shelf here where to get it", async () => {
  await bootStudio("#/train?model=hub:acme/other@1");
  expect(setup().config.model).toBe("story");
  expect(String(messages()[0]?.details["settings"])).toContain(
    "model=hub:acme/other@1 (this model is not on this browser’s shelf: get it on the Models screen)",
  );
});

it("uses a model with its weights as asked, without files, and starts it without adapters", async () => {
  await bootStudio();
  toggleAdapter("adapter:1");
  await applyStack();
  expect(setup().config.adapters).toEqual([{ id: "adapter:1", scale: 1 }]);
  await takeModel(shelfId, "q8");
  expect(trainer().questions("loadModel").at(-1)).toEqual({ id: shelfId, files: null, weights: "q8" });
  expect(setup().config).toMatchObject({ model: shelfId, baseWeights: "q8", adapters: [] });
  expect(trainer().questions("useAdapters")).toHaveLength(1);
});

it("asks nothing about a model that another is taking the place of", async () => {
  await bootStudio();
  const from = trainer().asked.length;
  const work = takeModel(shelfId, "q4");
  await Promise.all([refreshPreflight(), warmUp(), work]);
  const asked = names().slice(from);
  expect(asked.slice(0, asked.indexOf("loadData"))).toEqual(["loadModel"]);
  expect(asked.slice(-3)).toEqual(["preview", "warmUp", "preflight"]);
});

it("drops a refusal that is about a model which another has taken the place of", async () => {
  await bootStudio();
  trainer().refusals.set("preview", failure("CFG-1", "No preference pairs are loaded."));
  const asked = warmUp();
  trainer().refusals.clear();
  await Promise.all([asked, takeModel(shelfId, "keep")]);
  expect(messages()).toEqual([]);
});

it("deletes a model in use only after the studio’s own has taken its place", async () => {
  await bootStudio();
  await takeModel(shelfId, "q4");
  await train();
  sayTraining();
  expect(await deleteModel(shelfId, "tiny")).toBe(false);
  expect(trainer().questions("removeFromShelf")).toEqual([]);
  useRunStore.setState({ phase: "done" });
  expect(await deleteModel(shelfId, "tiny")).toBe(true);
  expect(setup().config.model).toBe("story");
  expect(names().indexOf("removeFromShelf")).toBeGreaterThan(names().lastIndexOf("loadModel"));
  expect(setup().description!.models.map(({ id }) => id)).toContain("story");
});

it("keeps what was edited while a model came", async () => {
  await bootStudio();
  const taken = takeModel(shelfId, "q8");
  edit({ steps: 77 });
  await taken;
  expect(setup().config).toMatchObject({ model: shelfId, baseWeights: "q8", steps: 77 });
});

it("says what is wrong with the address or the token, and asks no other Hub instead", async () => {
  await bootStudio();
  trainer().refusals.set("setHub", failure("CFG-1", "no address"));
  await lookAtHub();
  expect(hubOffer.useStore.getState()).toMatchObject({ refusal: "no address", isAsking: false });
  expect(names()).not.toContain("inspectHub");
});

it("tells every trainer the Hub before it reads sets there", async () => {
  await bootStudio();
  editHub({ token: "hf_x" });
  await hubData.ask({ repo: "acme/pairs" });
  await takeSource({ id: "hub:acme/pairs#a.parquet", files: null });
  expect(setup().config.data).toBe("hub:acme/pairs#a.parquet");
  trainer().die("gone");
  await restartTrainer();
  expect(names().slice(0, 4)).toEqual(["open", "loadModel", "setHub", "loadData"]);
  const token = [{ hubUrl: "https://huggingface.co", token: "hf_x" }];
  expect(trainer().questions("setHub")).toEqual(token);
  expect(trainers[0]!.questions("setHub")[0]).toEqual(token[0]);
});

it("asks about no columns that were named", async () => {
  await bootStudio();
  const { readData } = testAnswers;
  testAnswers.readData = { ...readData, isCertain: false };
  const source = { id: "hub:acme/pairs#a.csv", files: null };
  await takeSource(source);
  expect(setup().config.data).not.toBe(source.id);
  await takeSource(source, { dataLayout: "", dataColumns: { prompt: "question" } });
  testAnswers.readData = readData;
  expect(trainer().questions("loadData").at(-1)).toMatchObject({ columns: { prompt: "question" } });
  expect(setup().config).toMatchObject({ data: source.id, dataColumns: { prompt: "question" } });
});

it("changes nothing when the trainer refuses a model, and tells which one that was", async () => {
  await bootStudio();
  const { config } = setup();
  trainer().refusals.set("loadModel", failure("GPU-5", "too large"));
  expect(await takeModel(shelfId, "f32")).toBe(false);
  expect(setup().config).toEqual(config);
  expect(messages()).toMatchObject([{ code: "GPU-5", details: { model: shelfId } }]);
  trainer().refusals.clear();
  await takeModel(shelfId, "q4");
  expect(messages()).toEqual([]);
});

it("opens refused files again with lighter weights", async () => {
  await bootStudio();
  const file = new File(["x"], "m.gguf");
  trainer().refusals.set("loadModel", failure("GPU-5", "too large"));
  await openModel([file]);
  expect(setup().chosenFiles.model).toBeNull();
  trainer().refusals.clear();
  await openRefusedModel("q4");
  expect(trainer().questions("loadModel").at(-1)).toEqual({
    id: "local",
    files: [{ name: "m.gguf", bytes: file }],
    weights: "q4",
  });
  expect(setup().chosenFiles.model).toEqual([file]);
});

it("stands adapters on the model after it is loaded, and again whenever they change", async () => {
  await bootStudio();
  toggleAdapter("adapter:1");
  scaleAdapter("adapter:1", 0.5);
  expect(trainer().questions("useAdapters")).toEqual([]);
  await applyStack();
  expect(trainer().questions("useAdapters")).toEqual([{ adapters: [{ id: "adapter:1", scale: 0.5 }] }]);
  edit({ baseWeights: "f16" });
  await settle();
  const order = names().filter((name) => name === "loadModel" || name === "useAdapters");
  expect(order.slice(-2)).toEqual(["loadModel", "useAdapters"]);
  await deleteAdapter("adapter:1", "mine");
  expect(trainer().questions("useAdapters").at(-1)).toEqual({ adapters: [] });
  expect(trainer().questions("removeFromShelf")).toEqual([{ id: "adapter:1" }]);
});

it("keeps the stack as it was when the trainer refuses the new one", async () => {
  await bootStudio();
  toggleAdapter("adapter:1");
  trainer().refusals.set("useAdapters", failure("RUN-1", "another width"));
  expect(await applyStack()).toBe(false);
  expect(setup().config.adapters).toEqual([]);
  expect(useStackStore.getState()).toMatchObject({
    refusal: "another width",
    draft: [{ id: "adapter:1", scale: 1 }],
  });
});

it("gives a new trainer the model, its weights and its adapters again before it trains", async () => {
  await bootStudio();
  await takeModel(shelfId, "q4");
  toggleAdapter("adapter:1");
  await applyStack();
  trainer().die("gone");
  await restartTrainer();
  expect(names().slice(0, 4)).toEqual(["open", "loadModel", "useAdapters", "loadData"]);
  expect(trainer().questions("loadModel")).toEqual([{ id: shelfId, files: null, weights: "q4" }]);
  await train();
  expect(trainer().questions("start")).toMatchObject([
    { config: { model: shelfId, adapters: [{ id: "adapter:1", scale: 1 }] } },
  ]);
});

it("downloads with the token of this visit, and lists the model when all of it is here", async () => {
  await bootStudio();
  editHub({ token: " hf_x ", hubUrl: "https://mirror.test/" });
  const work = downloadModel({ id: shelfId, files });
  expect(download()).toMatchObject({ status: "downloading", totalBytes: 4_030_700 });
  const event: DownloadEvent = {
    type: "download",
    id: shelfId,
    status: "checking",
    files: [],
    doneBytes: 4_000_000,
    totalBytes: 4_030_700,
    bytesPerSecond: 1e6,
    secondsLeft: 1,
    reason: "",
  };
  trainer().say(event);
  expect(download()).toEqual(event);
  await work;
  expect(trainer().questions("setHub")).toEqual([{ hubUrl: "https://mirror.test", token: "hf_x" }]);
  expect(download()).toMatchObject({ status: "done", doneBytes: 4_030_700 });
  expect(names().at(-1)).toBe("listShelf");
  expect(JSON.stringify(useMessageStore.getState())).not.toContain("hf_x");
});

it("tells why a download failed, and goes on with it when asked to", async () => {
  await bootStudio();
  trainer().refusals.set("downloadModel", failure("NET-1", "not found (404)"));
  await downloadModel({ id: shelfId, files });
  expect(download()).toMatchObject({ status: "failed", reason: "not found (404)" });
  expect(messages()).toMatchObject([{ code: "NET-1", details: { id: shelfId } }]);
  trainer().refusals.clear();
  await retryDownload(shelfId);
  expect(messages()).toEqual([]);
  expect(download()?.status).toBe("done");
});

it("calls a paused download paused and forgets one that was given up, whatever the trainer says of it later", async () => {
  await bootStudio();
  trainer().refusals.set("downloadModel", failure("NET-1", "aborted"));
  const work = downloadModel({ id: shelfId, files });
  await pauseDownload(shelfId);
  await work;
  expect(download()?.status).toBe("paused");
  await cancelDownload(shelfId, "tiny");
  expect(trainer().questions("removeFromShelf")).toEqual([{ id: shelfId }]);
  trainer().say({
    type: "download",
    id: shelfId,
    status: "failed",
    files: [],
    doneBytes: 0,
    totalBytes: 1,
    bytesPerSecond: null,
    secondsLeft: null,
    reason: "aborted",
  });
  expect(download()).toBeUndefined();
  expect(messages()).toEqual([]);
});

it("goes on at once after a pause, whatever the paused question still answers", async () => {
  await bootStudio();
  trainer().refusals.set("downloadModel", failure("RUN-1", "paused"));
  const first = downloadModel({ id: shelfId, files });
  while (!names().includes("downloadModel")) await Promise.resolve();
  // Its refusal is on the way when the download is paused and continued.
  trainer().refusals.clear();
  const pause = pauseDownload(shelfId);
  const second = downloadModel({ id: shelfId, files });
  await Promise.all([first, pause, second]);
  const asked = names().filter((name) => /download/i.test(name));
  expect(asked).toEqual(["downloadModel", "pauseDownload", "downloadModel"]);
  expect(download()?.status).toBe("done");
  expect(messages()).toEqual([]);
});

it("keeps files from a disk and says why it could not", async () => {
  await bootStudio();
  trainer().refusals.set("keepModel", failure("STO-1", "1.9 of 2.0 GB are used"));
  expect(await keepModel("mine", [new File(["x"], "m.gguf")])).toBe(false);
  expect(useShelfStore.getState()).toMatchObject({ refusal: "1.9 of 2.0 GB are used", working: null });
});

it("tells a zip by what is in it", async () => {
  await bootStudio();
  const zipOf = (name: string) => {
    const file = new File([zipSync({ [name]: strToU8("x".repeat(1e6)) })], "some.zip");
    // Browsers have it on every file, Node on none.
    return Object.assign(file, { webkitRelativePath: "" });
  };
  await openFiles([zipOf("m/model.safetensors")]);
  expect(setup().config.model).toBe("local");
  await openFiles([zipOf("a/adapter_model.safetensors")]);
  expect(trainer().questions("importAdapter")).toHaveLength(1);
  await chooseDiskFiles([zipOf("a/adapter_model.safetensors")]);
  expect(trainer().questions("importAdapter")).toHaveLength(2);
  await chooseDiskFiles([zipOf("m/model.safetensors")]);
  expect(useDiskStore.getState()).toMatchObject({ label: "some", files: [{ name: "some.zip" }] });
});

it("tells models, adapters and the files of a folder that a model needs", () => {
  expect(kindOfFiles(["Q4.GGUF"])).toBe("model");
  expect(kindOfFiles(["adapter_config.json", "adapter_model.safetensors"])).toBe("adapter");
  const folder = [
    "m/model-00001-of-00002.safetensors",
    "m/model.safetensors.index.json",
    "m/tokenizer.json",
    "m/pytorch_model.bin",
    "m/original/params.json",
  ].map((path) => {
    const file = new File(["x"], path.split("/").at(-1)!);
    Object.defineProperty(file, "webkitRelativePath", { value: path });
    return file;
  });
  expect(modelFilesOf(folder).map(({ name }) => name)).toEqual([
    "model-00001-of-00002.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
  ]);
});
