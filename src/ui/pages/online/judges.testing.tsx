/** A part of the Online screen on a page for tests, with a trainer that answers as told. */
import { MantineProvider } from "@mantine/core";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { vi } from "vitest";
import { configureTrainer, openTrainer } from "../../../state/connection.ts";
import { judgeList } from "../../../state/judges.ts";
import { useTrialStore } from "../../../state/judgeTrial.ts";
import { useRewardModelStore } from "../../../state/rewardModels.ts";
import { usePlaceStore } from "../../../state/place.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testDescription } from "../../../state/testDescription.ts";
import { testAnswers, TestTrainer } from "../../../state/testTrainer.ts";

let root: Root;

/** The trainer of the present test. */
export let trainer: TestTrainer;

/** Where the part is shown. */
export let page: HTMLElement;

const stores = [useRunStore, useSetupStore, usePlaceStore, useTrialStore, useRewardModelStore].map(
  (store) => [store, store.getState()] as const,
);
/** An element by its name for tests. */
export const find = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
/** A box by its name for tests, where that is the box's own or its frame's. */
export const area = (id: string) =>
  find(id)?.matches("textarea, input, select") === true
    ? find(id)
    : find(id)?.querySelector<HTMLElement>("textarea, input, select");
/** All words of the part. */
export const words = () => page.textContent.replaceAll(/\s+/g, " ");
/** The configuration now. */
export const config = () => useSetupStore.getState().config;
/** A control by its name. */
export const named = (name: string) =>
  [...page.querySelectorAll<HTMLElement>("button, input, select")].find(
    (candidate) => (candidate.getAttribute("aria-label") ?? candidate.textContent) === name,
  );

const settle = async () => {
  for (let turn = 0; turn < 2; turn += 1)
    await act(() => new Promise<void>((resolve) => setTimeout(resolve)));
};
/** Presses an element and waits for what follows. */
export const press = async (element: Element | null | undefined) => {
  await act(async () => (element as HTMLElement).click());
  await settle();
};
/** Types into a box or chooses in a list. */
export const type = async (box: HTMLElement | null | undefined, text: string) => {
  await act(async () => {
    // React hears of a value only when the element's own setter was used.
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value")?.set?.call(box, text);
    box!.dispatchEvent(new Event(box instanceof HTMLSelectElement ? "change" : "input", { bubbles: true }));
  });
  await settle();
};
/** Presses a key and waits for what follows. */
export const key = async (name: string, target: EventTarget = document.body) => {
  await act(async () => target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true })));
  await settle();
};

/** Starts every test with everything as at the start. */
export function openPart(): void {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  // A box that grows with its text hears of fonts, which a page of tests does not have.
  Object.defineProperty(document, "fonts", { value: new EventTarget(), configurable: true });
  localStorage.clear();
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  judgeList.forget();
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  useSetupStore.setState({
    description: testDescription,
    model: testAnswers.loadModel,
    data: testAnswers.loadData,
    loading: null,
  });
  useRunStore.setState({ phase: "ready" });
  page = document.createElement("div");
  document.body.append(page);
  root = createRoot(page);
}

/** Takes the part away again. */
export async function closePart(): Promise<void> {
  await act(async () => root.unmount());
  page.remove();
  vi.unstubAllGlobals();
}

/** Shows a part of the screen. */
export async function show(part: ReactNode): Promise<void> {
  await act(async () => root.render(<MantineProvider env="test">{part}</MantineProvider>));
  await settle();
}
