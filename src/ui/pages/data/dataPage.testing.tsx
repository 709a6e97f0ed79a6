/** The Data screen on a page for tests, with a trainer that answers as told. */
import { MantineProvider } from "@mantine/core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { vi } from "vitest";
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
let unwatch: () => void;

/** The trainer of the present test. */
export let trainer: TestTrainer;

/** Where the screen is shown. */
export let page: HTMLElement;

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
/** An element by its name for tests, dialogs included. */
export const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
/** All words of the screen. */
export const words = () => page.textContent.replaceAll(/\s+/g, " ");
/** The configuration now. */
export const config = () => useSetupStore.getState().config;
/** A button by its name. */
export const button = (name: string) =>
  [...document.querySelectorAll("button")].find(
    (candidate) => (candidate.getAttribute("aria-label") ?? candidate.textContent) === name,
  );

/** Waits until questions and what follows from their answers have come to rest. */
export const settle = async () => {
  for (let turn = 0; turn < 4; turn += 1)
    await act(() => new Promise<void>((resolve) => setTimeout(resolve)));
};
/** Presses an element and waits for what follows. */
export const press = async (element: Element | null | undefined) => {
  await act(async () => (element as HTMLElement).click());
  await settle();
};
/** Types into a box or chooses in a list. */
export const type = async (box: HTMLElement, text: string) => {
  await act(async () => {
    // React hears of a value only when the element's own setter was used.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value")?.set?.call(box, text);
    box.dispatchEvent(new Event(box instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }));
  });
  await settle();
};
/** Presses a key and waits for what follows. */
export const key = async (name: string, target: EventTarget = document.body) => {
  await act(async () => target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true })));
  await settle();
};

/** Starts every test with everything as at the start. */
export function openDataPage(): void {
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
}

/** Takes the screen away again. */
export async function closeDataPage(): Promise<void> {
  unwatch();
  await act(async () => root.unmount());
  page.remove();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}

/** Shows a tab of the screen. */
export const show = async (tab: DataTab) => {
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
