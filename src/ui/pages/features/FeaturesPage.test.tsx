// @vitest-environment happy-dom
/** The Features screen on a page, with a trainer that answers as told. */
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { beginRun, useRunStore } from "../../../state/runStore.ts";
import { configureTrainer, openTrainer } from "../../../state/connection.ts";
import {
  changeReport,
  featureDetail,
  featureTable,
  promptFeatures,
  steeredTexts,
  useMarkStore,
} from "../../../state/features.ts";
import { useFeatureViewStore } from "../../../state/featureViewStore.ts";
import { openTab } from "../../../state/navigation.ts";
import { usePlaceStore } from "../../../state/place.ts";
import { useSaeStore } from "../../../state/saeStore.ts";
import { useSaeTrainingStore } from "../../../state/saeTraining.ts";
import { useHeldStore } from "../../../state/heldSet.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testAnswers, TestTrainer } from "../../../state/testTrainer.ts";
import { FeaturesPage } from "./FeaturesPage.tsx";

let root: Root;
let page: HTMLElement;
let trainer: TestTrainer;
const sae = testAnswers.loadSae;
const stores = [
  useRunStore,
  useSetupStore,
  useSaeStore,
  usePlaceStore,
  useHeldStore,
  useSaeTrainingStore,
  useFeatureViewStore,
  useMarkStore,
].map((store) => [store, store.getState()] as const);
const find = (id: string) => page.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const words = () => page.textContent.replaceAll(/\s+/g, " ");
const press = async (element: Element | null | undefined) => {
  await act(async () => (element as HTMLElement).click());
  await settle();
};
const button = (name: string) =>
  [...page.querySelectorAll("button")].find((candidate) => candidate.textContent === name);

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  Element.prototype.scrollIntoView = () => undefined;
  localStorage.clear();
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  for (const asker of askers) asker.forget();
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  useSetupStore.setState({
    model: testAnswers.loadModel,
    data: testAnswers.loadData,
    loaded: { backend: "auto", model: "story", weights: "keep", adapters: "[]", data: "kind" },
  });
  useSaeStore.setState({ inUse: [sae], embedded: [sae], model: testAnswers.loadModel });
  page = document.createElement("div");
  document.body.append(page);
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  page.remove();
  vi.unstubAllGlobals();
});

const askers = [featureTable, featureDetail, promptFeatures, changeReport, steeredTexts];

/** An answer leads to the next question: all of them have come once nobody asks any more. */
const settle = async () => {
  do await act(() => new Promise<void>((resolve) => setTimeout(resolve)));
  while (askers.some(({ useStore }) => useStore.getState().isAsking));
};

const show = async () => {
  await act(async () => {
    root.render(
      <MantineProvider>
        <FeaturesPage />
      </MantineProvider>,
    );
  });
  await settle();
};

const trainedRun = () => {
  beginRun("run");
  useRunStore.setState({ step: 60, phase: "done" });
};

it("shows the strongest feature with everything there is to see of it, in one order", async () => {
  await show();
  expect([...page.querySelectorAll(".feature-view h2")].map((heading) => heading.textContent)).toEqual([
    "#0",
    "Activations",
    "What it makes the model say",
    "Where it is active",
    "Chosen against rejected",
    "Test it",
    "Steering",
  ]);
  expect(find("sae-figures")?.textContent).toBe("layer2features3active (L0)8unexplained6%");
  expect(words()).toContain("Active at 2% of 400 positions.");
  expect(words()).toContain(
    "Stronger on the chosen answer in 1 pair, on the rejected one in 1 pair, equal in 0 pairs.",
  );
});

it("opens a feature from the list, holds it still, and names it for good", async () => {
  await show();
  expect(find("feature-row-2")).toBeNull();
  await press(find("feature-row-1"));
  expect(trainer.questions("featureDetail").at(-1)).toEqual({ sae: "story-2", feature: 1 });
  await act(async () => usePlaceStore.setState({ feature: 0 }));
  await press(find("hold-still"));
  expect(useSetupStore.getState().config.heldFeatures).toEqual([0]);
  expect(find("hold-still")?.getAttribute("aria-pressed")).toBe("true");
  expect(find("feature-row-0")?.textContent).toContain("held");
  const name = find("feature-name") as HTMLInputElement;
  expect(name.value).toBe("laughed");
  await act(async () => {
    // React hears of a value only when the element's own setter was used.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(name, "joy");
    name.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await act(async () => {
    name.focus();
    name.blur();
  });
  expect(localStorage.getItem("prefscope.feature-names.story-2")).toBe('{"0":"joy"}');
  expect(find("feature-row-0")?.textContent).toContain("joy");
});

it("writes the same prompt twice and marks from where on the texts differ", async () => {
  await show();
  await press(find("steer-run"));
  expect(trainer.questions("steer")).toEqual([
    {
      steering: { sae: "story-2", feature: 0, mode: "add", value: 2 },
      prompt: "Lily lost her ball.",
      policy: "reference",
      seed: 7,
      temperature: 0.7,
      maxNewTokens: 32,
    },
  ]);
  expect(find("steer-plain")?.textContent).toBe(" She cried.");
  expect(find("steer-steered")?.querySelector("mark")?.textContent).toBe(" laughed.");
});

it("leaves a prompt empty that somebody emptied, and writes nothing then", async () => {
  await show();
  const box = page.querySelector<HTMLTextAreaElement>(".steer-panel textarea")!;
  expect(box.value).toBe("Lily lost her ball.");
  await act(async () => {
    // React hears of a value only when the element's own setter was used.
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set?.call(box, "");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  expect(box.value).toBe("");
  expect(find("steer-run")?.hasAttribute("disabled")).toBe(true);
});

it("tells a refusal in the trainer's words, and asks again", async () => {
  const message = "The run has the device. Pause it first.";
  trainer.refusals.set("featureDetail", { name: "Error", code: "RUN-1", message, details: {} });
  await show();
  expect(page.querySelector("[role=alert]")?.textContent).toContain(message);
  trainer.refusals.clear();
  await press(button("Try again"));
  expect(page.querySelector("[role=alert]")).toBeNull();
  expect(find("feature-name")).not.toBeNull();
});

it("offers the shipped autoencoder and training where there is none", async () => {
  useSaeStore.setState({ inUse: [] });
  await show();
  expect(find("no-sae")?.textContent).toContain("Load an autoencoder or use the embedded one");
  await press(button(`Use ${sae.label}`));
  expect(trainer.questions("loadSae")).toEqual([{ id: "story-2", files: null }]);
  expect(find("feature-name")).not.toBeNull();
});

it("says that a feature is silent and how many positions were looked at", async () => {
  const { before } = testAnswers.featureDetail;
  await show();
  await act(async () => {
    const answer = { ...testAnswers.featureDetail, before: { ...before, density: 0 }, intervals: [] };
    featureDetail.useStore.setState({ answer });
  });
  expect(find("silent-feature")?.textContent).toBe("Silent on these 400 positions.");
  expect(words()).not.toContain("Where it is active");
  expect(words()).toContain("What it makes the model say");
});

it("reports a change after a run, and sends to Train before one", async () => {
  openTab("features", "changes");
  await show();
  expect(find("change-report")?.textContent).toContain("Train first");
  expect(trainer.questions("changeReport")).toEqual([]);
  await act(async () => trainedRun());
  expect(trainer.questions("changeReport")).toEqual([{ sae: "story-2" }]);
  expect(words()).toContain("1 of 2 active features changed more than chance explains");
  expect(find("change-row-0")?.textContent).toContain("+0.6 ▲");
  expect(find("change-row-1")?.textContent).toContain("−0.01 ▼");
  expect(find("sae-figures")?.textContent).toContain("8 → 8.5");
  await press(find("hold-still-1"));
  expect(useSetupStore.getState().config.heldFeatures).toEqual([1]);
});

it("does not ask for a report while a run goes on", async () => {
  openTab("features", "changes");
  trainedRun();
  useRunStore.setState({ phase: "training" });
  await show();
  expect(trainer.questions("changeReport")).toEqual([]);
  expect(words()).toContain("The report is made when the run is over or paused.");
});

it("tints a prompt's tokens by the locked feature, and marks a pressed token in the histogram", async () => {
  openTab("features", "prompt");
  await show();
  expect(words()).toContain("Tokens by feature #0");
  await press(find("prompt-feature-1"));
  expect(words()).toContain("Tokens by feature #1");
  const tokens = [...page.querySelectorAll(".prompt-tokens button")];
  expect(tokens.map((token) => token.getAttribute("aria-label"))).toEqual([
    "⟨start⟩, activation 0",
    "they, activation 1",
    "laughed, activation 0",
  ]);
  await press(tokens[1]);
  expect(useMarkStore.getState().mark).toEqual({ feature: 1, token: " they", activation: 1 });
  expect(words()).toContain("2 features are active here. 10% is unexplained.");
  const tuned = page.querySelector<HTMLInputElement>('input[value="policy"]');
  expect(tuned?.disabled).toBe(true);
  expect(words()).toContain("Tuned: train first.");
});

it("lists what is held, what share of the change it carries, and tells of sets put aside", async () => {
  openTab("features", "held");
  trainedRun();
  useSetupStore.setState(({ config }) => ({ config: { ...config, heldFeatures: [1] } }));
  useHeldStore.setState({ sae: "story-2", aside: { "another one": [3, 4] } });
  await show();
  // 0.01² of 0.6² + 0.01² is 0.0001 of 0.3601.
  expect(find("held-share")?.textContent).toBe("They carry 0.028% of the squared change of all features.");
  expect(find("held-aside")?.textContent).toContain(
    "2 held features belong to another autoencoder, another one.",
  );
  await press(page.querySelector('[aria-label="Let go: feature 1"]'));
  await press(button("Hold the 1 that the run changed most"));
  expect(useSetupStore.getState().config.heldFeatures).toEqual([0]);
});

it("refuses to hold a feature while several autoencoders are compared, and offers to compare one alone", async () => {
  useSetupStore.setState(({ config }) => ({ config: { ...config, saes: ["story-0", "story-2"] } }));
  await show();
  expect((find("hold-still") as HTMLButtonElement).disabled).toBe(true);
  expect(words()).toContain("The setup compares 2 autoencoders at once");
  await act(async () => openTab("features", "held"));
  expect(find("train-holding")).toBeNull();
  await press(button(`Compare ${sae.label} alone`));
  expect(useSetupStore.getState().config.saes).toEqual([]);
  expect(find("train-holding")).not.toBeNull();
});

it("tells of an autoencoder that a link names and that is nowhere", async () => {
  useSetupStore.setState(({ config }) => ({ config: { ...config, saes: ["opened-2"] } }));
  await show();
  const select = find("sae-select") as HTMLSelectElement;
  expect(select.value).toBe("opened-2");
  expect(select.textContent).toContain("opened-2: not at hand");
});

it("says that a trained autoencoder is in use only while it is", async () => {
  const trained = {
    ...sae,
    id: "trained-1",
    origin: "trained",
    label: "Trained here",
    print: "1-t",
  } as const;
  const event = { type: "sae", status: "done", step: 9, steps: 9, metrics: {}, reason: "" } as const;
  useSaeTrainingStore.setState({ event: { ...event, sae: trained } });
  useSaeStore.setState({ inUse: [trained, sae] });
  await act(async () => openTab("features", "train-sae"));
  await show();
  expect(find("sae-status")?.textContent).toContain("In use now: Trained here.");
  await act(async () => useSaeStore.setState({ inUse: [sae, trained] }));
  expect(find("sae-status")?.textContent).not.toContain("In use now");
});
