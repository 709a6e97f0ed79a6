// @vitest-environment happy-dom
/** The Models screen and the dialog with the ways out on a page, with a trainer that answers as told. */
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useStackStore } from "../../../state/adapterStack.ts";
import { configureTrainer, openTrainer } from "../../../state/connection.ts";
import { useDiskStore } from "../../../state/diskModel.ts";
import { hearDownload, useDownloadStore } from "../../../state/downloads.ts";
import { hubOffer, useHubStore } from "../../../state/hub.ts";
import { useKeepingStore } from "../../../state/keeping.ts";
import { useLeavingStore } from "../../../state/leaving.ts";
import { useMessageStore } from "../../../state/messageStore.ts";
import { project } from "../../../state/project.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { adaptersKey, dataKey, useSetupStore } from "../../../state/setupStore.ts";
import { useShelfStore } from "../../../state/shelfStore.ts";
import { testAnswers, TestTrainer } from "../../../state/testTrainer.ts";
import { useViewStore } from "../../../state/viewStore.ts";
import { weightsPerplexity } from "../../../state/weights.ts";
import type { ErrorReport } from "../../../worker/protocol.ts";
import { ExportTabs } from "../../components/export/ExportTabs.tsx";
import { ProjectFiles } from "../../components/export/ProjectFiles.tsx";
import { ModelsPage } from "./ModelsPage.tsx";

const given = { ...testAnswers };
const shelfId = "hub:acme/tiny@abc1234";
const stores = [
  useRunStore,
  useSetupStore,
  useShelfStore,
  useStackStore,
  useHubStore,
  useDownloadStore,
  useDiskStore,
  useKeepingStore,
  useLeavingStore,
  useMessageStore,
  useViewStore,
].map((store) => [store, store.getState()] as const);
let root: Root;
let page: HTMLElement;
let trainer: TestTrainer;

const words = () => page.textContent.replaceAll(/\s+/g, " ");
const find = (id: string) => page.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const named = (name: string) =>
  [...page.querySelectorAll("button, input, select")].find(
    (element) => element.getAttribute("aria-label") === name || element.textContent === name,
  );
const press = async (element: Element | null | undefined) => {
  await act(async () => (element as HTMLElement).click());
  await settle();
};
const type = async (input: Element | null | undefined, value: string) => {
  // React listens to the property of the prototype, past its own.
  const property = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!;
  await act(async () => {
    property.set!.call(input, value);
    input!.dispatchEvent(new Event("input", { bubbles: true }));
  });
};
const choose = async (select: Element | null | undefined, value: string) => {
  await act(async () => {
    (select as HTMLSelectElement).value = value;
    select!.dispatchEvent(new Event("change", { bubbles: true }));
  });
};
const settle = async () => {
  for (let turn = 0; turn < 6; turn++) await act(() => new Promise<void>((resolve) => setTimeout(resolve)));
};
const refuse = (name: string, message: string, code: ErrorReport["code"] = "RUN-1") => {
  trainer.refusals.set(name, { name: "E", code, message, details: {} });
};

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  Element.prototype.scrollIntoView = () => undefined;
  Object.assign(testAnswers, given);
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  hubOffer.forget();
  project.forget();
  weightsPerplexity.forget();
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  const { config } = useSetupStore.getState();
  useSetupStore.setState({
    description: testAnswers.describe,
    model: testAnswers.loadModel,
    data: testAnswers.loadData,
    loading: null,
    loaded: {
      backend: "auto",
      model: "story",
      weights: "keep",
      adapters: adaptersKey(config),
      data: dataKey(config),
    },
  });
  useRunStore.setState({ phase: "ready" });
  page = document.createElement("div");
  document.body.append(page);
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  page.remove();
  vi.unstubAllGlobals();
});

const show = async (content = <ModelsPage />) => {
  await act(async () => {
    root.render(<MantineProvider>{content}</MantineProvider>);
  });
  await settle();
};

it("shows what is kept with its size, source, licence and last use, and how full the storage is", async () => {
  await show();
  expect(words()).toContain(
    "4.0 MB · 3 files · acme/tiny @ abc1234 · licence apache-2.0 · added Nov 1, 2026, not used yet",
  );
  expect(find("storage")?.textContent).toContain("5.0 MB of 2.0 GB used (0.25%)");
  expect(find("storage")?.textContent).toContain("Reference values400 kB");
  expect(words()).toContain("rank 8, alpha 16 · q, v in 4 layers · made on story · 120 kB · from a run here");
});

it("says what to do on an empty shelf, and that storage does not last", async () => {
  const { listShelf } = testAnswers;
  testAnswers.listShelf = {
    models: [],
    adapters: [],
    storage: { ...listShelf.storage, isLasting: false },
  };
  await show();
  expect(find("shelf-empty")).not.toBeNull();
  expect(find("adapters-empty")).not.toBeNull();
  expect(words()).toContain("no lasting storage");
  expect(find("keeping")).toBeNull();
});

it("says why the shelf could not be listed, and lists it when asked again", async () => {
  refuse("listShelf", "the folder is locked");
  await show();
  expect(words()).toContain("That did not work. the folder is locked");
  trainer.refusals.clear();
  await press(named("Try again"));
  expect(find("storage")).not.toBeNull();
  expect(words()).not.toContain("the folder is locked");
});

it("looks at a repository and shows each form with its verdict and the numbers behind it", async () => {
  await show();
  await press(named("SmolLM2-135M-Instruct"));
  await type(find("hub-token"), "hf_secret");
  await press(named("Look"));
  expect(trainer.questions("setHub")).toEqual([{ hubUrl: "https://huggingface.co", token: "hf_secret" }]);
  expect(trainer.questions("inspectHub")).toEqual([
    { repo: "HuggingFaceTB/SmolLM2-135M-Instruct", revision: "main" },
  ]);
  const offer = find("offer")!.textContent;
  expect(offer).toContain("llama · 1,000,000 parameters · licence apache-2.0 · chat template");
  expect(offer).toContain("32 bitstight9.0 of 9.5 MB");
  expect(offer).toContain("4 bits (QLoRA)fits3.0 of 3.0 MB");
  expect(words()).toContain("huggingface.co sees which files are asked for, and your token.");
  expect(page.querySelector<HTMLInputElement>('[data-testid="hub-token"]')?.type).toBe("password");
});

it("sends to the terms of a gated model, and offers no download of what cannot be loaded", async () => {
  const { inspectHub } = testAnswers;
  const broken = {
    ...inspectHub.variants[0]!,
    id: "hub:x#y",
    label: "IQ2_XS",
    problem: "IQ2_XS is not read.",
  };
  testAnswers.inspectHub = { ...inspectHub, isGated: true, variants: [broken] };
  await show();
  await type(find("hub-repo"), "acme/tiny");
  await press(named("Look"));
  expect(page.querySelector<HTMLAnchorElement>(".offer-gate a")?.href).toBe(
    "https://huggingface.co/acme/tiny",
  );
  expect(find("offer")?.textContent).toContain("IQ2_XS is not read.");
  expect(named("Download IQ2_XS")).toBeUndefined();
});

it("asks for no repository that cannot be one, and tells why the Hub gave no answer", async () => {
  await show();
  await type(find("hub-repo"), "not a name");
  expect(words()).toContain("Owner and name, such as Qwen/Qwen3-0.6B.");
  expect((named("Look") as HTMLButtonElement).disabled).toBe(true);
  await type(find("hub-repo"), "acme/none");
  refuse("inspectHub", "acme/none is not there (404).", "NET-1");
  await press(named("Look"));
  expect(words()).toContain("The Hub gave no answer. acme/none is not there (404).");
});

it("downloads, shows each file and the pace, pauses and goes on", async () => {
  testAnswers.listShelf = { ...testAnswers.listShelf, models: [] };
  await show();
  await type(find("hub-repo"), "acme/tiny");
  await press(named("Look"));
  refuse("downloadModel", "stopped");
  await act(async () => (named("Download Full weights (F16)") as HTMLElement).click());
  await act(async () =>
    hearDownload({
      type: "download",
      id: shelfId,
      status: "downloading",
      files: [{ name: "model.safetensors", doneBytes: 2e6, totalBytes: 4e6 }],
      doneBytes: 2e6,
      totalBytes: 4_030_700,
      bytesPerSecond: 1.5e6,
      secondsLeft: 75,
      reason: "",
    }),
  );
  expect(find("download")?.textContent).toContain("Downloading · 2.0 of 4.0 MB · 1.5 MB/s · ≈ 1:15 left");
  expect(find("download")?.textContent).toContain("1 filemodel.safetensors2.0 of 4.0 MB");
  await press(named("Pause"));
  expect(find("download")?.dataset["status"]).toBe("paused");
  trainer.refusals.clear();
  await press(named("Resume"));
  expect(find("download")?.textContent).toContain("On the shelf");
  await press(named("Use it"));
  expect(trainer.questions("loadModel")).toEqual([{ id: shelfId, files: null, weights: "keep" }]);
  expect(find("download")).toBeNull();
});

it("tells how much of an unfinished model is here, and goes on with it from the shelf", async () => {
  const [model] = testAnswers.listShelf.models;
  testAnswers.listShelf = { ...testAnswers.listShelf, models: [{ ...model!, presentBytes: 1_000_000 }] };
  await show();
  expect(find("unfinished")?.textContent).toContain("1.0 of 4.0 MB here");
  await press(named("Continue the download of acme/tiny"));
  expect(trainer.questions("downloadModel")).toEqual([{ id: shelfId }]);
});

it("uses a kept model with the weights that were chosen and said", async () => {
  await show();
  await choose(named("Base weights of acme/tiny"), "q4");
  expect(words()).toContain("About 0.6 bytes a weight");
  await press(named("Use acme/tiny"));
  expect(trainer.questions("loadModel")).toEqual([{ id: shelfId, files: null, weights: "q4" }]);
  expect(useSetupStore.getState().config).toMatchObject({ model: shelfId, baseWeights: "q4" });
});

it("deletes only after it has asked", async () => {
  await show();
  await press(named("Delete acme/tiny"));
  expect(words()).toContain("Delete 4.0 MB?");
  await press(named("Keep it"));
  expect(trainer.questions("removeFromShelf")).toEqual([]);
  await press(named("Delete acme/tiny"));
  await press(named("Delete it"));
  expect(trainer.questions("removeFromShelf")).toEqual([{ id: shelfId }]);
});

it("stacks adapters at their scales, and says what a run does with them and what rank it needs", async () => {
  testAnswers.useAdapters = {
    adapters: [{ id: "adapter:1", label: "kind endings, 60 steps", scale: 0.5 }],
    rank: 24,
  };
  await show();
  await press(find("adapter-row")?.querySelector("input"));
  await type(named("Scale of kind endings, 60 steps as a number"), "0.5");
  await press(find("apply-stack"));
  expect(trainer.questions("useAdapters")).toEqual([{ adapters: [{ id: "adapter:1", scale: 0.5 }] }]);
  expect(find("in-use-adapters")?.textContent).toContain("kind endings, 60 steps × 0.5 (rank 24 together)");
  expect(find("goes-on")?.textContent).toContain("The next run trains on from here");
  await press(named("Train with rank 24"));
  expect(useSetupStore.getState().config.loraRank).toBe(24);
  await press(named("Take all off"));
  expect(trainer.questions("useAdapters").at(-1)).toEqual({ adapters: [] });
});

it("lets nobody tick an adapter that does not fit, and says why", async () => {
  const [adapter] = testAnswers.listShelf.adapters;
  testAnswers.listShelf = {
    ...testAnswers.listShelf,
    adapters: [{ ...adapter!, problem: "It has 30 layers, the model 4." }],
  };
  await show();
  expect(find("adapter-row")?.querySelector("input")?.disabled).toBe(true);
  expect(words()).toContain("Does not fit the loaded model. It has 30 layers, the model 4.");
});

it("offers to keep the adapter of an ended run, once", async () => {
  await show();
  expect(find("keep-adapter")).toBeNull();
  const { config } = useSetupStore.getState();
  await act(async () => {
    useSetupStore.setState({ runningConfig: config });
    useRunStore.setState({ phase: "done", step: 60, runId: "run-1" });
  });
  await press(find("keep-adapter"));
  expect(trainer.questions("keepAdapter")).toEqual([{ label: "dpo, kind-endings, 60 steps" }]);
  expect(find("keep-adapter")).toBeNull();
});

it("keeps files from the disk under a name, or uses them where they lie", async () => {
  await show();
  const files = [new File(["x"], "Tiny.Q4_1.gguf")];
  await act(async () => useDiskStore.setState({ files, label: "Tiny.Q4_1" }));
  await press(named("Keep on the shelf"));
  expect(trainer.questions("keepModel")).toEqual([
    { label: "Tiny.Q4_1", files: [{ name: "Tiny.Q4_1.gguf", bytes: files[0] }] },
  ]);
  expect(find("disk-chosen")).toBeNull();
  await act(async () => useDiskStore.setState({ files, label: "Tiny.Q4_1" }));
  await press(named("Use now, keep nothing"));
  expect(trainer.questions("loadModel")).toMatchObject([{ id: "local", weights: "keep" }]);
});

it("shows what rounding did to each layer, and measures what it costs", async () => {
  useSetupStore.setState({
    model: {
      ...testAnswers.loadModel,
      weights: {
        bytesByLayout: { f32: 100_000, q4m: 300_000 },
        rounding: [
          { layer: -1, relativeRms: 0.011 },
          { layer: 0, relativeRms: 0.08 },
        ],
      },
    },
  });
  await show();
  expect(find("weight-report")?.textContent).toContain("4 bits300 kB32 bits100 kB");
  expect(find("weight-report")?.textContent).toContain("embedding, head1.1%layer 08%");
  await press(named("Measure what it costs"));
  expect(find("perplexity")?.textContent).toBe(
    "Perplexity of the held-out chosen answers: 5.2 against 5.1 with the file’s weights (+2%).",
  );
});

it("asks the browser to keep what is here, and says what it answered", async () => {
  const persist = vi.fn<() => Promise<boolean>>(async () => false);
  vi.stubGlobal("navigator", {
    userAgent: navigator.userAgent,
    storage: { persisted: async () => false, persist },
  });
  await show();
  await press(named("Ask the browser to keep it"));
  expect(persist).toHaveBeenCalledOnce();
  expect(find("keeping")?.textContent).toContain("The browser did not agree.");
});

it("shows how far a model is on its way to the device", async () => {
  useSetupStore.setState({ loading: "model", loadingBytes: { doneBytes: 120e6, totalBytes: 310e6 } });
  await show();
  expect(find("loading-line")?.textContent).toBe("Loading 120 of 310 MB39%");
});

it("saves the chosen form as files, and says what was saved", async () => {
  const clicks: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
    clicks.push(this.download);
  });
  testAnswers.exportModel = [{ name: "story.gguf", bytes: new Blob(["x"]) }];
  await show(<ExportTabs />);
  await press(page.querySelector("#export-kind-gguf-q8"));
  await press(find("export-save"));
  expect(trainer.questions("exportModel")).toEqual([{ kind: "gguf-q8", isZip: true }]);
  expect(clicks).toEqual(["story.gguf"]);
  expect(find("export-saved")?.textContent).toBe("Saved: story.gguf");
  refuse("exportModel", "the storage is full");
  await press(find("export-save"));
  expect(words()).toContain("It was not saved. the storage is full");
});

it("uploads with the token alone, to a repository that is private unless somebody says otherwise", async () => {
  await show(<ExportTabs />);
  await press(page.querySelector("#export-tab-upload"));
  const upload = () => named("Upload") as HTMLButtonElement;
  const [repo, token] = [...page.querySelectorAll(".upload-fields input")];
  await type(repo, "me/kind");
  expect(upload().disabled).toBe(true);
  await type(token, "hf_x");
  await press(upload());
  expect(trainer.questions("setHub")).toEqual([{ hubUrl: "https://huggingface.co", token: "hf_x" }]);
  expect(trainer.questions("uploadModel")).toEqual([{ kind: "adapter", repo: "me/kind", isPrivate: true }]);
  expect(page.querySelector<HTMLAnchorElement>('[role="status"] a')?.href).toBe(
    "https://hub.test/acme/tiny-kind",
  );
});

it("writes the setup as a project once for each setup, and says why it cannot", async () => {
  await show(<ExportTabs />);
  await press(page.querySelector("#export-tab-trl"));
  const { config } = useSetupStore.getState();
  expect(trainer.questions("exportProject")).toEqual([{ config }]);
  expect(page.querySelector("pre")?.textContent).toBe("print()");
  await press(page.querySelector("#export-tab-files"));
  await press(page.querySelector("#export-tab-trl"));
  expect(trainer.questions("exportProject")).toHaveLength(1);
  await act(async () => useSetupStore.setState({ config: { ...config, steps: 0 } }));
  expect(words()).toContain("The setup cannot be trained yet: steps");
});

it("shows the files of a project whole or cut, and saves all of them", async () => {
  const long = "x".repeat(20_001);
  const encode = (text: string) => new TextEncoder().encode(text);
  await show(
    <ProjectFiles
      name="trl"
      files={[
        { name: "train.py", bytes: encode("import trl") },
        { name: "pairs.jsonl", bytes: encode(long) },
        { name: "adapter_model.safetensors", bytes: Uint8Array.of(8, 0, 0, 0) },
      ]}
    />,
  );
  const [first, second] = [...page.querySelectorAll("pre")].map(({ textContent }) => textContent);
  expect(first).toBe("import trl");
  expect(second).toBe(`${long.slice(1)}\n…`);
  expect(named("Copy train.py")).toBeDefined();
  expect(words()).toContain("adapter_model.safetensors 4 BNot a text: it is in the .zip.");
  expect(named("Save all as .zip")).toBeDefined();
});
