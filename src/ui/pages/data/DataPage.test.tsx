// @vitest-environment happy-dom
/** The Data screen on a page, with a trainer that answers as told. */
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useAnnotationStore } from "../../../state/annotation.ts";
import { configureTrainer, openTrainer } from "../../../state/connection.ts";
import {
  dataHealth,
  firstBatch,
  hubData,
  useRevisionStore,
  useEmbeddedStore,
  watchData,
} from "../../../state/dataAnswers.ts";
import { forgetRows, useRowsStore } from "../../../state/dataRows.ts";
import { settle as settleEdits } from "../../../state/editing.ts";
import { openFiles } from "../../../state/localFiles.ts";
import { dataLayouts, useMappingStore } from "../../../state/mapping.ts";
import { openTab } from "../../../state/navigation.ts";
import { useMessageStore } from "../../../state/messageStore.ts";
import { usePlaceStore, type DataTab } from "../../../state/place.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { dataKey, useSetupStore } from "../../../state/setupStore.ts";
import { testDescription } from "../../../state/testDescription.ts";
import { testAnswers, TestTrainer } from "../../../state/testTrainer.ts";
import { DataPage } from "./DataPage.tsx";
import { MappingDialog } from "./MappingDialog.tsx";

let root: Root;
let page: HTMLElement;
let trainer: TestTrainer;
let unwatch: () => void;
const stores = [
  useRunStore,
  useSetupStore,
  usePlaceStore,
  useRowsStore,
  useRevisionStore,
  useEmbeddedStore,
  useMappingStore,
  useMessageStore,
  useAnnotationStore,
].map((store) => [store, store.getState()] as const);
const askers = [dataHealth, firstBatch, hubData, dataLayouts];
const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const words = () => page.textContent.replaceAll(/\s+/g, " ");
const config = () => useSetupStore.getState().config;
const button = (name: string) =>
  [...document.querySelectorAll("button")].find(
    (candidate) => (candidate.getAttribute("aria-label") ?? candidate.textContent) === name,
  );

/** Waits until questions and what follows from their answers have come to rest. */
const settle = async () => {
  for (let turn = 0; turn < 4; turn += 1)
    await act(() => new Promise<void>((resolve) => setTimeout(resolve)));
};
const press = async (element: Element | null | undefined) => {
  await act(async () => (element as HTMLElement).click());
  await settle();
};
const type = async (box: HTMLElement, text: string) => {
  await act(async () => {
    // React hears of a value only when the element's own setter was used.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value")?.set?.call(box, text);
    box.dispatchEvent(new Event(box instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }));
  });
  await settle();
};
const key = async (name: string, target: EventTarget = document.body) => {
  await act(async () => target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true })));
  await settle();
};

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  Element.prototype.scrollIntoView = () => undefined;
  // Without a size nothing would be in view.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(60);
  // A box that grows with its text hears of fonts, which a page of tests does not have.
  Object.defineProperty(document, "fonts", { value: new EventTarget(), configurable: true });
  localStorage.clear();
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  for (const asker of askers) asker.forget();
  forgetRows();
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  unwatch = watchData();
  useSetupStore.setState({
    description: testDescription,
    model: testAnswers.loadModel,
    data: testAnswers.loadData,
    loading: null,
    loaded: { backend: "auto", model: "story", weights: "keep", adapters: "", data: dataKey(config()) },
  });
  useRunStore.setState({ phase: "ready" });
  page = document.createElement("div");
  document.body.append(page);
  root = createRoot(page);
});

afterEach(async () => {
  unwatch();
  await act(async () => root.unmount());
  page.remove();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const show = async (tab: DataTab) => {
  openTab("data", tab);
  await act(async () => {
    root.render(
      <MantineProvider env="test">
        <DataPage />
        <MappingDialog />
      </MantineProvider>,
    );
  });
  await settle();
};

it("shows both embedded sets with an example, and uses another one as it comes", async () => {
  useSetupStore.setState(({ config: present }) => ({
    config: {
      ...present,
      dataSteps: [{ kind: "relabel" }],
      dataLayout: "hh",
      dataColumns: { chosen: "good" },
    },
  }));
  await show("sources");
  expect(words()).toContain("Kind endings");
  expect(words()).toContain("chosen Tom helped.rejected Tom laughed.");
  expect(trainer.questions("readData")).toEqual(
    ["kind-endings", "helpful-harmless"].map((id) => ({ id, files: null, layout: "", columns: {} })),
  );
  await press(button("Use Helpful vs harmless"));
  expect(config()).toMatchObject({
    data: "helpful-harmless",
    objective: "helpful",
    dataSteps: [],
    dataLayout: "",
    dataColumns: {},
  });
});

it("asks which column is which where that is in doubt, and reads the set as it was told", async () => {
  const { readData } = testAnswers;
  trainer.answers.readData = ({ columns }) => ({
    ...readData,
    isCertain: false,
    columnsByRole: Object.keys(columns).length > 0 ? columns : readData.columnsByRole,
  });
  await show("sources");
  await act(() => openFiles([new File(["question,good,bad"], "odd.csv")]));
  await settle();
  expect(trainer.questions("loadData")).toEqual([]);
  expect((find("mapping-chosen") as HTMLSelectElement).value).toBe("good");
  expect(find("mapping-count")?.textContent).toBe("2 of 3 rows can be used.");
  expect(find("mapping")?.textContent).toContain("Not used: the chosen answer is empty.");
  await type(find("mapping-chosen")!, "bad");
  expect(trainer.questions("readData").at(-1)).toMatchObject({
    layout: "trlPreference",
    columns: { prompt: "question", chosen: "bad", rejected: "bad" },
  });
  await type(find("mapping-rejected")!, "good");
  await press(find("mapping-apply"));
  expect(trainer.questions("loadData").at(-1)).toMatchObject({
    id: "local",
    layout: "trlPreference",
    columns: { prompt: "question", chosen: "bad", rejected: "good" },
  });
  expect(config()).toMatchObject({ data: "local", dataLayout: "trlPreference" });
  expect(find("mapping")).toBeNull();
});

it("keeps the dialog open with the reason when the set is refused, and the set that was there", async () => {
  trainer.answers.readData = () => ({ ...testAnswers.readData, isCertain: false });
  const message = "2 pairs are too few: at least 4 are needed.";
  trainer.refusals.set("loadData", { name: "Error", code: "DAT-1", message, details: {} });
  await show("sources");
  await act(() => openFiles([new File(["question,good,bad"], "odd.csv")]));
  await settle();
  await press(find("mapping-apply"));
  expect(find("mapping")?.textContent).toContain(message);
  expect(config().data).toBe("kind-endings");
});

it("takes rows of a data set on the Hub", async () => {
  await show("sources");
  await type(find("hub-repo")!, "acme/pairs");
  await act(async () => find("hub-repo")?.closest("form")?.requestSubmit());
  await settle();
  expect(trainer.questions("inspectHubData")).toEqual([{ repo: "acme/pairs" }]);
  expect(words()).toContain("Licence: mit");
  await press(button("Use"));
  expect(config().data).toBe("hub:acme/pairs#train.parquet?rows=1000");
  expect(trainer.questions("loadData").at(-1)).toMatchObject({
    id: "hub:acme/pairs#train.parquet?rows=1000",
    files: null,
  });
});

it("lists pairs with what their answers do not share, and opens and revises one", async () => {
  await show("pairs");
  const row = find("pair-0");
  expect([...(row?.querySelectorAll("mark") ?? [])].map((mark) => mark.textContent)).toEqual([
    "helped her.",
    "laughed.",
  ]);
  await press(row?.querySelector("button"));
  await press(button("Revise an answer"));
  const [chosen] = [
    ...page.querySelectorAll<HTMLTextAreaElement>(".pair-editor textarea:not([aria-hidden])"),
  ];
  await press(button("Start from the rejected answer"));
  expect(chosen?.value).toBe(" Tom laughed.");
  await type(chosen!, " Tom laughed with her.");
  // laughed. → laughed, + with, + her.
  expect(find("edit-distance")?.textContent).toContain("3 words of 2 to change from rejected to chosen.");
  await press(button("Use this text"));
  expect(config().dataSteps).toEqual([{ kind: "revise", row: 0, chosen: " Tom laughed with her." }]);
});

it("filters the pairs in the trainer, and clears a filter that nothing matches", async () => {
  await show("pairs");
  trainer.answers.dataRows = () => ({ rows: [], matches: 0 });
  await type(find("pair-flag")!, "truncated");
  expect(trainer.questions("dataRows").at(-1)).toMatchObject({ flag: "truncated", from: 0 });
  expect(find("pair-count")?.textContent).toContain("No pair matches.");
  delete trainer.answers.dataRows;
  await press(button("Clear the filter"));
  expect(trainer.questions("dataRows").at(-1)).toMatchObject({ flag: null, search: "" });
  expect(find("pair-0")).not.toBeNull();
});

it("walks through many pairs by key, asking for those that come into view", async () => {
  trainer.answers.dataRows = ({ from, count }) => ({
    matches: 500,
    rows: Array.from({ length: count }, (_, place) => ({
      ...testAnswers.dataRows.rows[0]!,
      row: from + place,
    })),
  });
  await show("pairs");
  const first = find("pair-0")?.querySelector("button");
  expect(first?.tabIndex).toBe(0);
  first?.focus();
  await key("ArrowDown", first!);
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Row 2, show all of it");
  expect(page.querySelectorAll(".pair-button[tabindex='0']").length).toBe(1);
  expect(page.querySelector("[role=grid]")?.getAttribute("aria-rowcount")).toBe("501");
});

it("says what a finding means, shows its rows, leaves them out when asked, and puts them back", async () => {
  await show("health");
  expect(find("finding-duplicate")?.textContent).toContain("2 pairs are in the set more than once");
  expect(find("longer-chosen")?.textContent).toContain("in 52% of the pairs");
  expect(config().dataSteps).toEqual([]);
  await press(find("leave-out-duplicate"));
  expect(config().dataSteps).toEqual([{ kind: "drop", check: "duplicate" }]);
  await press(button("Put them back"));
  expect(config().dataSteps).toEqual([]);
  await press(button("Show rows: Duplicates"));
  expect(usePlaceStore.getState().tabs.data).toBe("pairs");
  expect(trainer.questions("dataRows").at(-1)).toMatchObject({ flag: "duplicate" });
});

it("says that all is clear", async () => {
  trainer.answers.dataHealth = () => ({ ...testAnswers.dataHealth, findings: [] });
  await show("health");
  expect(find("all-clear")?.textContent).toContain("All clear");
});

it("tells a refusal in the trainer's words, and asks again", async () => {
  const message = "The set is still being read.";
  trainer.refusals.set("dataHealth", { name: "Error", code: "RUN-1", message, details: {} });
  await show("health");
  expect(page.querySelector("[role=alert]")?.textContent).toContain(message);
  trainer.refusals.clear();
  await press(button("Try again"));
  expect(find("finding-duplicate")).not.toBeNull();
});

it("lists changes in order, reads the set with them, and says what came of it", async () => {
  await show("changes");
  expect(find("no-steps")?.textContent).toContain("Nothing is ever left out or changed unasked.");
  await press(find("step-add"));
  await type(find("step-kind")!, "flip");
  await press(find("step-add"));
  expect(config().dataSteps).toEqual([
    { kind: "subset", pairs: 100, by: "random", seed: 7 },
    { kind: "flip", share: 0.2, seed: 7 },
  ]);
  expect(find("step-1")?.textContent).toContain("Swap the answers of 20% of the training pairs (seed 7).");
  const sentence = "Drew 100 of 512 training pairs.";
  trainer.answers.loadData = ({ steps }) => ({
    ...testAnswers.loadData,
    trainPairs: 100,
    steps: steps.map(({ kind }) => ({ kind, sentence, trainPairs: 100 })),
  });
  await act(async () => settleEdits());
  await settle();
  expect(trainer.questions("loadData").at(-1)).toMatchObject({ steps: config().dataSteps });
  expect(find("step-outcome")?.textContent).toBe(
    "640 pairs before; now 100 training pairs and 128 held out.",
  );
  expect(find("step-0")?.textContent).toContain(`${sentence} Training pairs then: 100.`);
  expect(find("data-figures")?.textContent).toContain("640 → 228");
  await press(button("Undo the last"));
  expect(config().dataSteps).toHaveLength(1);
});

it("says that a change waits while a run is on the screen, and reads it when told", async () => {
  useSetupStore.setState({ runningConfig: config() });
  useRunStore.setState({ phase: "done" });
  await show("changes");
  await press(find("step-add"));
  expect(find("data-waiting")?.textContent).toContain("is read when the next run starts");
  await press(button("Read it now and clear the run"));
  expect(trainer.questions("loadData").at(-1)).toMatchObject({ steps: config().dataSteps });
  expect(find("data-waiting")).toBeNull();
});

it("shows the first batch token by token", async () => {
  const seen = { tokens: ["<s>", " Tom", "\n"], ids: Int32Array.of(1, 4, 9), isScored: [false, true, true] };
  trainer.answers.firstBatch = () => [
    { row: 3, promptTokens: 1, chosen: seen, rejected: seen, isPromptCut: true, isAnswerCut: false },
  ];
  await show("batch");
  expect(find("seen-3")?.textContent).toContain("Row 4 prompt 1 tokens · prompt cut at its start");
  const tokens = [...find("seen-3")!.querySelectorAll("[aria-label=chosen] .seen-token")];
  expect(tokens.map((token) => token.textContent)).toEqual(["<s>", "·Tom", "⏎\n"]);
  expect(tokens.map((token) => token.className)).toEqual([
    "seen-token seen-special",
    "seen-token seen-scored",
    "seen-token seen-scored",
  ]);
  expect(words()).toContain("3 tokens, 2 scored");
});

it("annotates by key, takes back, survives a reload, and makes a set of the choices", async () => {
  trainer.answers.sampleAnswers = () =>
    Array.from({ length: 5 }, (_, place) => ({
      prompt: `p${place}`,
      answers: [`one ${place}`, `two ${place}`],
    }));
  await show("annotate");
  await press(find("sample-answers"));
  expect(trainer.questions("sampleAnswers")).toEqual([
    { prompts: null, count: 20, answersPerPrompt: 2, temperature: 0.9, maxNewTokens: 48, seed: 7 },
  ]);
  const left = find("blind-a")?.textContent;
  await key("1");
  await key("ArrowRight");
  await key("0");
  expect(find("annotate-progress")?.textContent).toBe("3 of 5 decided · 2 pairs · 1 without a pair");
  await key("u");
  await key("x");
  await key("2");
  await key("2");
  expect(find("annotate-progress")?.textContent).toBe("5 of 5 decided · 4 pairs · 1 without a pair");
  expect(JSON.parse(localStorage.getItem("prefscope.annotation") ?? "").verdicts).toEqual([
    "a",
    "b",
    "bad",
    "b",
    "b",
  ]);
  await key("u");
  expect(find("annotate-progress")?.textContent).toContain("4 of 5 decided");
  await press(find("use-pairs"));
  const [file] = useSetupStore.getState().chosenFiles.data ?? [];
  const lines = (await file!.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({ prompt: "p0", chosen: left });
  expect(config().data).toBe("local");
});

it("takes no key for a choice while somebody types", async () => {
  await show("annotate");
  await press(find("sample-answers"));
  await press(button("Edit answer A"));
  const box = page.querySelector<HTMLTextAreaElement>(".blind-answer textarea:not([aria-hidden])")!;
  await key("1", box);
  await key("x", box);
  expect(find("annotate-progress")?.textContent).toContain("0 of 1 decided");
  await type(box, "Mine.");
  await press(button("Use this text"));
  expect(find("blind-a")?.textContent).toBe("Mine.");
});
