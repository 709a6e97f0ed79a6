/** Which autoencoder is in use, and whom the held features belong to, against a trainer that answers as told. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { SaeSummary } from "../worker/protocol.ts";
import { boot } from "./boot.ts";
import { edit } from "./editing.ts";
import { steeredTexts } from "./features.ts";
import { editSteering, useFeatureViewStore } from "./featureViewStore.ts";
import { hold, isHeldStill, trainHolding, useHeldStore, whyNotHeld } from "./heldSet.ts";
import { openFiles } from "./localFiles.ts";
import { openFeature } from "./navigation.ts";
import { usePlaceStore } from "./place.ts";
import { useRunStore } from "./runStore.ts";
import { chooseSae, compareSaes, putInUse } from "./saes.ts";
import { saeInUse, saeKey, useSaeStore } from "./saeStore.ts";
import { isSaeTraining, trainSae, useSaeTrainingStore } from "./saeTraining.ts";
import { useSetupStore } from "./setupStore.ts";
import { testAnswers, TestTrainer } from "./testTrainer.ts";

const shipped = testAnswers.loadSae;
const first: SaeSummary = { ...shipped, id: "story-0", layer: 0, print: "0-abc" };
const second: SaeSummary = { ...shipped, id: "story-1", layer: 1, print: "1-abc" };
const opened: SaeSummary = { ...shipped, id: "opened-2", origin: "opened", print: "2-own" };
const answers = { ...testAnswers };
let trainer: TestTrainer;
let page: { hash: string; href: string };
let follow: () => void;
const stores = [
  useRunStore,
  useSetupStore,
  useSaeStore,
  useHeldStore,
  usePlaceStore,
  useSaeTrainingStore,
  useFeatureViewStore,
].map((store) => [store, store.getState()] as const);
const config = () => useSetupStore.getState().config;
const inUse = () => saeInUse(useSaeStore.getState())?.id;
const settle = () => vi.advanceTimersByTimeAsync(500);

beforeEach(() => {
  vi.useFakeTimers();
  trainer = new TestTrainer();
  page = { hash: "", href: "http://localhost/" };
  Object.assign(testAnswers, answers);
  testAnswers.listSaes = { atHand: [shipped], embedded: [shipped, first, second] };
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  vi.stubGlobal("location", page);
  const history = {
    state: null as unknown,
    replaceState: (state: unknown, _title: string, link: string) => {
      history.state = state;
      page.hash = link;
    },
    pushState: (state: unknown, title: string, link: string) => history.replaceState(state, title, link),
  };
  const addEventListener = (name: string, listener: () => void) => {
    if (name === "hashchange") follow = listener;
  };
  vi.stubGlobal("window", { addEventListener, history });
});

afterEach(() => {
  Object.assign(testAnswers, answers);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function bootStudio(hash = ""): Promise<void> {
  page.hash = hash;
  await boot({ createPort: () => trainer.port, search: "", isSecure: true });
  await settle();
}

async function followLink(settings: string): Promise<void> {
  page.hash = `#/train?preset=tiny-dpo&seed=7${settings}`;
  (window.history as { state: unknown }).state = null;
  follow();
  await settle();
}

it("keeps held features of an autoencoder that no link can name out of the link", async () => {
  await bootStudio();
  hold([1]);
  await settle();
  expect(page.hash).toContain("heldFeatures=1");
  putInUse(opened);
  hold([0, 2]);
  await settle();
  expect(config().heldFeatures).toEqual([0, 2]);
  expect(page.hash).not.toContain("heldFeatures");
  testAnswers.loadSae = second;
  await chooseSae("story-1");
  hold([2]);
  await settle();
  expect(page.hash).toContain("heldFeatures=2&saes=story-1");
});

it("leaves a list of several in the setup, and uses its first", async () => {
  testAnswers.loadSae = first;
  await bootStudio("#/train?preset=tiny-dpo&saes=story-0,story-1&heldFeatures=4&seed=7");
  expect(config()).toMatchObject({ saes: ["story-0", "story-1"], heldFeatures: [4] });
  expect(inUse()).toBe("story-0");
  expect(useHeldStore.getState().sae).toBe("story-0+story-1");
  expect(page.hash).toContain("saes=story-0,story-1");
  testAnswers.loadSae = second;
  await chooseSae("story-1");
  expect(config().saes).toEqual(["story-0", "story-1"]);
  putInUse(opened);
  expect(config()).toMatchObject({ saes: [], heldFeatures: [] });
});

it("does not load what is in use already because a list names others too", async () => {
  await bootStudio("#/train?preset=tiny-dpo&saes=story-0,story-2&seed=7");
  expect(trainer.questions("loadSae")).toEqual([]);
  expect(inUse()).toBe("story-2");
});

it("puts the held set aside while several are compared, and holds nothing by a number of one of them", async () => {
  await bootStudio();
  hold([1]);
  await compareSaes(["story-2", "story-0"]);
  expect(config()).toMatchObject({ saes: ["story-2", "story-0"], heldFeatures: [] });
  expect(whyNotHeld(config())).toContain("compares 2 autoencoders");
  edit({ heldFeatures: [1] });
  expect(isHeldStill(config(), 1)).toBe(false);
  await compareSaes(["story-2"]);
  expect(config()).toMatchObject({ saes: [], heldFeatures: [1] });
  expect(isHeldStill(config(), 1)).toBe(true);
  expect(whyNotHeld(config())).toBeNull();
});

it("compares one alone by putting it in use, without a name for one from a disk", async () => {
  await bootStudio();
  testAnswers.loadSae = second;
  await compareSaes(["story-1"]);
  expect(config().saes).toEqual(["story-1"]);
  expect(inUse()).toBe("story-1");
  putInUse(opened);
  await compareSaes(["opened-2", "story-0"]);
  await compareSaes(["opened-2"]);
  expect(config().saes).toEqual([]);
  expect(inUse()).toBe("opened-2");
});

it("uses what a link names that is taken over while the page is open, and its held features are of that", async () => {
  await bootStudio();
  hold([1]);
  testAnswers.loadSae = second;
  await followLink("&saes=story-1&heldFeatures=0,2");
  expect(inUse()).toBe("story-1");
  expect(config()).toMatchObject({ saes: ["story-1"], heldFeatures: [0, 2] });
  expect(useHeldStore.getState()).toMatchObject({ sae: "story-1", aside: { "story-2": [1] } });
  testAnswers.loadSae = shipped;
  await followLink("&heldFeatures=2");
  expect(inUse()).toBe("story-2");
  expect(config().heldFeatures).toEqual([2]);
  expect(useHeldStore.getState()).toMatchObject({ sae: "story-2", aside: { "story-1": [0, 2] } });
});

it("takes a link without names for the model's own autoencoder, whatever was opened before", async () => {
  await bootStudio();
  putInUse(opened);
  hold([0]);
  await followLink("&heldFeatures=2");
  expect(inUse()).toBe("story-2");
  expect(config().heldFeatures).toEqual([2]);
  expect(useHeldStore.getState()).toMatchObject({ sae: "story-2", aside: { [saeKey(opened)]: [0] } });
  expect(page.hash).toContain("heldFeatures=2");
});

it("leaves the setup of a link that names what is not there, until another is chosen", async () => {
  await bootStudio("#/train?preset=tiny-dpo&saes=opened-2&heldFeatures=1&seed=7");
  expect(config()).toMatchObject({ saes: ["opened-2"], heldFeatures: [1] });
  expect(inUse()).toBe("story-2");
  await chooseSae("story-2");
  expect(config()).toMatchObject({ saes: [], heldFeatures: [] });
});

it("names no autoencoder and holds nothing with another model", async () => {
  await bootStudio();
  testAnswers.loadSae = second;
  await chooseSae("story-1");
  hold([1]);
  testAnswers.loadModel = { ...answers.loadModel, id: "local", sae: null };
  testAnswers.listSaes = { atHand: [], embedded: [] };
  await openFiles([new File(["x"], "config.json"), new File(["y"], "model.safetensors")]);
  expect(config()).toMatchObject({ model: "local", saes: [], heldFeatures: [] });
  edit({ saes: ["opened-2"], heldFeatures: [1] });
  edit({ model: "story" });
  expect(config()).toMatchObject({ model: "story", saes: [], heldFeatures: [] });
});

it("holds what is held of the one in use in the next run", async () => {
  await bootStudio();
  await compareSaes(["story-2", "story-0"]);
  await compareSaes(["story-2"]);
  hold([2]);
  trainHolding();
  expect(config()).toMatchObject({ saes: [], heldFeatures: [2], params: { featureMode: 2 } });
});

it("forgets the training of an autoencoder with the trainer and with the pairs", async () => {
  await bootStudio();
  const event = { type: "sae", status: "training", steps: 20, reason: "", sae: null } as const;
  const tell = async () => {
    await trainSae(false);
    trainer.say({ ...event, step: 10, metrics: { loss: 2, eval_l0: 9 } });
    expect(isSaeTraining(useSaeTrainingStore.getState())).toBe(true);
  };
  const forgotten = { event: null, heldOut: {}, points: { loss: [] }, refusal: null };
  await tell();
  edit({ maxTokens: 40 });
  await settle();
  expect(useSaeTrainingStore.getState()).toMatchObject(forgotten);
  await tell();
  trainer.die("out of memory");
  expect(useSaeTrainingStore.getState()).toMatchObject(forgotten);
});

it("forgets strength and texts of another feature, and a strength with the way it was chosen for", async () => {
  await bootStudio();
  openFeature(0);
  editSteering({ value: -3 });
  const { steering, prompt, policy, ...rest } = {
    steering: { sae: "story-2", feature: 0, mode: "add" as const, value: -3 },
    prompt: "Once",
    policy: "reference" as const,
    seed: 1,
    temperature: 0,
    maxNewTokens: 4,
  };
  await steeredTexts.ask({ steering, prompt, policy, ...rest });
  editSteering({ mode: "add", seed: 3 });
  expect(useFeatureViewStore.getState().steering.value).toBe(-3);
  openFeature(1);
  expect(steeredTexts.useStore.getState().answer).toBeNull();
  expect(useFeatureViewStore.getState().steering.value).toBeNull();
  editSteering({ value: -3 });
  editSteering({ mode: "clamp" });
  expect(useFeatureViewStore.getState().steering.value).toBeNull();
});
