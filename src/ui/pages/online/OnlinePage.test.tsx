// @vitest-environment happy-dom
/** Rounds and prompts on the Online screen, with a trainer that answers as told. */
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { configureTrainer, openTrainer } from "../../../state/connection.ts";
import { settle as settleEdits } from "../../../state/editing.ts";
import { useMessageStore } from "../../../state/messageStore.ts";
import { openTab } from "../../../state/navigation.ts";
import { usePlaceStore, type OnlineTab } from "../../../state/place.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { dataKey, useSetupStore } from "../../../state/setupStore.ts";
import { testDescription } from "../../../state/testDescription.ts";
import { testOnlineEvaluations, testRounds } from "../../../state/testOnlineAnswers.ts";
import { testAnswers, TestTrainer } from "../../../state/testTrainer.ts";
import { OnlinePage } from "./OnlinePage.tsx";

let root: Root;
let page: HTMLElement;
let trainer: TestTrainer;
const stores = [useRunStore, useSetupStore, usePlaceStore, useMessageStore].map(
  (store) => [store, store.getState()] as const,
);
const onlineConfig = {
  ...testDescription.presets[0]!.config,
  method: "wdpo",
  params: { beta: 0.5, beta2: 4 },
  rounds: 3,
};
const online = { id: "online", label: "Online · OPTune", promise: "In rounds.", config: onlineConfig };

const find = (id: string) => page.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const words = (element: Element | null = page) => element?.textContent.replaceAll(/\s+/g, " ") ?? "";
const button = (name: string) =>
  [...page.querySelectorAll("button")].find(
    (candidate) => (candidate.getAttribute("aria-label") ?? candidate.textContent) === name,
  );
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
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value")?.set?.call(box, text);
    box.dispatchEvent(new Event(box instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }));
  });
  await settle();
};
const show = async (tab: OnlineTab) => {
  openTab("online", tab);
  await act(async () => {
    root.render(
      <MantineProvider env="test">
        <OnlinePage />
      </MantineProvider>,
    );
  });
  await settle();
};
/** A run of three rounds that has told of two. */
const beginOnline = (change: Partial<ReturnType<typeof useRunStore.getState>> = {}) => {
  useSetupStore.setState({ config: onlineConfig, runningConfig: onlineConfig });
  useRunStore.setState({
    phase: "training",
    runId: "run",
    rounds: testRounds,
    onlineEvaluations: testOnlineEvaluations,
    ...change,
  });
};
const failing = {
  ...testRounds[1]!,
  isSettled: false,
  isOver: false,
  failures: [
    { judge: "Endpoint", prompt: "Ben fell.", answer: " He cried.", reason: "not reached" },
    { judge: "Endpoint", prompt: "Ben fell.", answer: " He sat.", reason: "not reached" },
  ],
};

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  Element.prototype.scrollIntoView = () => undefined;
  // Without a size nothing would be in view.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(60);
  localStorage.clear();
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  const { config } = useSetupStore.getState();
  useSetupStore.setState({
    description: { ...testDescription, presets: [...testDescription.presets, online] },
    model: testAnswers.loadModel,
    data: testAnswers.loadData,
    loading: null,
    loaded: { backend: "auto", model: "story", weights: "keep", adapters: "", data: dataKey(config) },
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
  vi.restoreAllMocks();
});

it("explains the loop before rounds are set up, and sets them up with one button", async () => {
  await show("rounds");
  expect(find("online-empty")).not.toBeNull();
  await press(find("online-preset"));
  expect(useSetupStore.getState().config).toMatchObject({ rounds: 3, method: "wdpo" });
  settleEdits();
  await settle();
  expect(find("online-empty")).toBeNull();
  expect(words(find("loop-sentence"))).toContain("3 rounds over 64 prompts: the first draws 256 answers");
  expect(find("train-button")?.textContent).toContain("Train");
});

it("lights the stage that runs, with its progress, and pauses and stops", async () => {
  beginOnline({
    phase: "generating",
    step: 20,
    progress: { done: 40, total: 96 },
    rounds: testRounds.slice(0, 1),
  });
  await show("rounds");
  expect(words(find("loop-sentence"))).toBe("Round 2 of 3 – drawing 40 of 96 answers");
  const now = [...page.querySelectorAll("[aria-current=step]")];
  expect(now.map((stage) => stage.getAttribute("data-stage"))).toEqual(["generate"]);
  expect(now[0]?.querySelector("progress")?.value).toBe(40);
  await press(find("train-button"));
  await press(find("stop-button"));
  expect([trainer.questions("pause").length, trainer.questions("stop").length]).toEqual([1, 1]);
});

it("lists the answers that a judge could not score, asks again, goes on, or stops", async () => {
  beginOnline({ phase: "paused", step: failing.step, rounds: [testRounds[0]!, failing] });
  await show("rounds");
  const alert = find("judge-failed");
  expect(words(alert)).toContain("2 answers of round 2 could not be scored");
  expect(words(alert)).toContain("Endpoint, 2 answers: not reached");
  expect(words(alert)).toContain("He cried.");
  await press(find("retry-judges"));
  expect(trainer.questions("retryJudges")).toEqual([null]);
  await press(button("Go on without them"));
  expect(trainer.questions("resume")).toEqual([null]);
  await press(button("Stop"));
  expect(trainer.questions("stop")).toEqual([null]);
});

it("says why the judges were not asked again", async () => {
  beginOnline({ phase: "paused", step: failing.step, rounds: [testRounds[0]!, failing] });
  const message = "The endpoint was forgotten.";
  trainer.refusals.set("retryJudges", { name: "Error", code: "RUN-1", message, details: {} });
  await show("rounds");
  await press(find("retry-judges"));
  expect(words(find("judge-failed"))).toContain(message);
});

it("shows no alert while the round goes on, or when failures are behind it", async () => {
  beginOnline({ phase: "training", rounds: [testRounds[0]!, failing] });
  await show("rounds");
  expect(find("judge-failed")).toBeNull();
  await act(async () =>
    useRunStore.setState({ phase: "paused", rounds: [{ ...failing, isSettled: true, isOver: true }] }),
  );
  expect(find("judge-failed")).toBeNull();
  await act(async () => useRunStore.setState({ rounds: [{ ...failing, isSettled: true }] }));
  expect(find("judge-failed")).toBeNull();
});

it("says what rounds cost, what judges say, and what pairs weigh, and has every number in a table", async () => {
  beginOnline({ phase: "done" });
  await show("rounds");
  expect(words(find("cost-sentence"))).toContain("measured: 1.46 times");
  expect(words(find("judge-sentence"))).toContain("held-out judge 0.2 (0.1 to 0.3)");
  expect(words(find("win-sentence"))).toContain("70% of 32 prompts");
  expect(words(find("parting"))).toContain("The judges agree so far");
  // σ(4 · 1.3) = 0.9945; one pair counts like one.
  expect(words(find("gap-sentence"))).toContain("Mean weight 0.995; they count like 1 pairs");
  expect(words(find("dropped"))).toContain("Every prompt that was drawn gave a pair");
  const rows = [...(find("rounds-table")?.querySelectorAll("tbody tr") ?? [])];
  expect(rows).toHaveLength(2);
  expect(words(rows[1] ?? null)).toContain("50%");
  await press(button("Seconds as a table"));
  const cells = [...page.querySelectorAll('[aria-label="Seconds by stage"] tbody tr:first-child > *')];
  // 3 + 0.2 + 0.4 + 1.5 = 5.1 without the evaluation; 120 tokens drawn and none saved.
  expect(cells.map((cell) => words(cell))).toEqual(["1", "3", "0.2", "0.4", "1.5", "0.8", "5.1", "120", "0"]);
  await type(find("round-choice")!, "0");
  expect(words(find("dropped"))).toContain("1 of 2 prompts gave no new pair: equal scores 1");
  await press(button("Gaps as a table"));
  expect(page.querySelectorAll('[aria-label="Gaps by range"] tbody tr')).toHaveLength(16);
});

it("raises the badge when the judges part, with what to do", async () => {
  const score = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1 });
  const parted = testOnlineEvaluations.map((evaluation, index) => ({
    ...evaluation,
    proxy: score(0.2 * index),
    heldout: score([0, 0.4, 0.1][index]!),
  }));
  beginOnline({ phase: "done", onlineEvaluations: parted });
  await show("rounds");
  expect(page.querySelector(".parting-badge")?.textContent).toBe("The judges part");
  expect(words(find("parting"))).toContain("From round 1 to round 2 the proxy rose by 0.2");
  expect(words(find("parting"))).toContain("In the next run end after 1 round, raise β");
});

it("says so where no judge is kept aside", async () => {
  const onlineEvaluations = testOnlineEvaluations.map((told) => ({ ...told, heldout: null }));
  beginOnline({ onlineEvaluations });
  await show("rounds");
  // One that has no score is kept aside all the same.
  expect(words(find("parting"))).toContain("The judge kept aside has no score after round 2");
  const own = { judge: { kind: "program" as const, id: "kindEndings" }, weight: 1 };
  await act(async () => useSetupStore.setState({ runningConfig: { ...onlineConfig, judges: [own] } }));
  expect(words(find("parting"))).toContain("No judge is kept aside");
});

it("does not say that judges agree before a round was measured", async () => {
  beginOnline({ onlineEvaluations: testOnlineEvaluations.slice(0, 1) });
  await show("rounds");
  expect(words(find("parting"))).toBe("The judges are compared once a round was measured.");
});

it("lists prompts with their pairs before and now, filtered, searched and sorted", async () => {
  await show("prompts");
  expect(words()).toContain("Once a round has drawn its answers");
  await act(async () => beginOnline({ phase: "done" }));
  await settle();
  expect(words(find("prompt-count"))).toBe("2 prompts: 1 with a new pair, 0 kept, 1 without a new pair.");
  const row = find("prompt-0");
  expect(words(row)).toContain("+0.15 ▲");
  expect([...(row?.querySelectorAll("mark") ?? [])].map((mark) => mark.textContent.trim())).toEqual([
    "hugged",
  ]);
  await type(find("prompt-fate")!, "kept");
  expect(words(find("prompt-count"))).toContain("No prompt matches.");
  await press(button("Clear the filter"));
  await type(find("prompt-search")!, "BEN");
  expect(find("prompt-0")).toBeNull();
  expect(words(find("prompt-1"))).toContain("no pair");
  await press(button("Clear the filter"));
  await type(find("round-choice")!, "0");
  expect(words(find("prompt-0"))).toContain("first pair");
  expect(words(find("prompt-1"))).toContain("no pair: equal scores");
});

it("shows the set's own pairs of a first round as what they are", async () => {
  const [prompt] = testRounds[0]!.prompts;
  const ofSet = { ...prompt!, isRegenerated: false, before: null, now: { ...prompt!.now!, drawnIn: -1 } };
  beginOnline({ phase: "done", rounds: [{ ...testRounds[0]!, prompts: [ofSet] }] });
  await show("prompts");
  expect(words(find("prompt-0"))).toContain("from the set");
  expect(words(find("prompt-0"))).not.toContain("the same pair");
});

it("opens a row and walks through the list by keys", async () => {
  beginOnline({ phase: "done" });
  await show("prompts");
  const first = page.querySelector<HTMLElement>('[data-place="0"]')!;
  await press(first);
  expect(find("prompt-0")?.dataset["open"]).toBe("true");
  await act(async () => {
    first.focus();
    first.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
  });
  await settle();
  expect(document.activeElement?.getAttribute("data-place")).toBe("1");
});

it("saves the pairs of the chosen round, and uses them as the data set once the run has ended", async () => {
  beginOnline({ phase: "training" });
  URL.createObjectURL = () => "blob:pairs";
  const saved = vi.spyOn(HTMLAnchorElement.prototype, "click").mockReturnValue();
  await show("prompts");
  await press(find("save-round"));
  expect(trainer.questions("exportRound")).toMatchObject([{ record: { round: 1 } }]);
  expect(saved).toHaveBeenCalledTimes(1);
  expect((find("use-round") as HTMLButtonElement).disabled).toBe(true);
  await act(async () => useRunStore.setState({ phase: "done" }));
  await press(find("use-round"));
  expect(trainer.questions("exportRound")).toHaveLength(2);
  expect(usePlaceStore.getState().screen).toBe("data");
  const { config, chosenFiles } = useSetupStore.getState();
  expect(config.data).toBe("local");
  expect(chosenFiles.data?.map(({ name }) => name)).toEqual(["round-1.jsonl"]);
});

it("asks before a data set takes the place of a long run that was not saved", async () => {
  beginOnline({ phase: "done", activeMs: 60_000 });
  await show("prompts");
  await press(find("use-round"));
  expect(trainer.questions("exportRound")).toEqual([]);
  await press(button("Keep the run"));
  expect(useSetupStore.getState().config.data).toBe("kind-endings");
});
