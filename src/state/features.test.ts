/** The Features screen's state against a trainer that answers as told. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { SaeSummary } from "../worker/protocol.ts";
import { train } from "./actions.ts";
import { boot } from "./boot.ts";
import { nameFeature, namesOf, readNames, useNameStore } from "./featureNames.ts";
import {
  changeReport,
  featureTable,
  hasTunedModel,
  steeredTexts,
  policyKey,
  useMarkStore,
} from "./features.ts";
import {
  dropSaved,
  hold,
  loadHeld,
  saveHeld,
  shareOfChange,
  toggleHeld,
  trainHolding,
  useHeldStore,
} from "./heldSet.ts";
import { featureHistory } from "./movingFeatures.ts";
import { openFeature, openTab } from "./navigation.ts";
import { usePlaceStore } from "./place.ts";
import { useRunStore } from "./runStore.ts";
import { chooseSae, openSaeFiles, putInUse } from "./saes.ts";
import { saeInUse, saeKey, useSaeStore } from "./saeStore.ts";
import {
  editSae,
  isSaeTraining,
  saeProblems,
  saeSettings,
  trainSae,
  useSaeTrainingStore,
} from "./saeTraining.ts";
import { useSetupStore } from "./setupStore.ts";
import { testAnswers, testPoints, testScores, TestTrainer } from "./testTrainer.ts";

const shipped = testAnswers.loadSae;
const opened: SaeSummary = { ...shipped, id: "opened", origin: "opened", label: "cfg.json" };
let trainer: TestTrainer;
let kept: Map<string, string>;
let page: { hash: string; href: string };
let entries: string[];
let follow: () => void;
const stores = [
  useRunStore,
  useSetupStore,
  useSaeStore,
  useHeldStore,
  useNameStore,
  usePlaceStore,
  useSaeTrainingStore,
].map((store) => [store, store.getState()] as const);
const held = () => useSetupStore.getState().config.heldFeatures;
const settle = () => vi.advanceTimersByTimeAsync(300);

beforeEach(() => {
  vi.useFakeTimers();
  trainer = new TestTrainer();
  kept = new Map();
  entries = [];
  page = { hash: "", href: "http://localhost/" };
  for (const [store, state] of stores)
    (store.setState as (state: unknown, replace: true) => void)(state, true);
  featureTable.forget();
  changeReport.forget();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  vi.stubGlobal("location", page);
  const history = {
    state: null as unknown,
    replaceState: (state: unknown, _title: string, link: string) => {
      history.state = state;
      page.hash = link;
    },
    pushState: (state: unknown, title: string, link: string) => {
      entries.push(page.hash);
      history.replaceState(state, title, link);
    },
  };
  vi.stubGlobal("window", {
    addEventListener: (name: string, listener: () => void) => {
      if (name === "hashchange") follow = listener;
    },
    history,
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function bootStudio(hash = ""): Promise<void> {
  page.hash = hash;
  await boot({ createPort: () => trainer.port, search: "", isSecure: true });
  await settle();
}

it("uses the autoencoder that came with the model, and lists the others", async () => {
  await bootStudio();
  expect(saeInUse(useSaeStore.getState())).toEqual(shipped);
  expect(trainer.questions("listSaes")).toHaveLength(1);
});

it("goes to another screen and back without touching the setup", async () => {
  await bootStudio();
  useSetupStore.setState(({ config }) => ({ config: { ...config, steps: 33 } }));
  openFeature(2);
  expect(page.hash).toMatch(/^#\/features\?view=feature&feature=2&preset=tiny-dpo&.*steps=33/);
  hold([1]);
  await settle();
  // The back button restores the older address, which does not know of the held feature.
  page.hash = entries[0]!;
  follow();
  expect(usePlaceStore.getState().screen).toBe("train");
  expect(held()).toEqual([1]);
  expect(page.hash).toContain("heldFeatures=1");
});

it("takes over the settings of a link that came from elsewhere, and the place with it", async () => {
  await bootStudio("#/features?view=changes&preset=tiny-dpo&steps=21&seed=7");
  expect(usePlaceStore.getState()).toMatchObject({ screen: "features", tabs: { features: "changes" } });
  expect(useSetupStore.getState().config.steps).toBe(21);
  expect(page.hash).toContain("#/features?view=changes&");
  page.hash = "#/train?preset=tiny-dpo&steps=44&seed=7";
  (window.history as { state: unknown }).state = null;
  follow();
  expect(useSetupStore.getState().config.steps).toBe(44);
  // An address without settings is a place and nothing else.
  page.hash = "#/features";
  follow();
  expect(useSetupStore.getState().config.steps).toBe(44);
  expect(usePlaceStore.getState().screen).toBe("features");
});

it("forgets the texts that an earlier run's model wrote when another run begins", async () => {
  await bootStudio();
  await steeredTexts.ask({
    steering: { sae: shipped.id, feature: 2, mode: "add", value: 1 },
    prompt: "Tom",
    policy: "policy",
    seed: 7,
    temperature: 0.7,
    maxNewTokens: 8,
  });
  expect(steeredTexts.useStore.getState().answer).not.toBeNull();
  useRunStore.setState({ runId: "another" });
  expect(steeredTexts.useStore.getState().answer).toBeNull();
});

it("says in the trainer's words why files were not taken over, and keeps the one in use", async () => {
  await bootStudio();
  const message = "The autoencoder reads 256 values, the model's stream has 96.";
  trainer.refusals.set("loadSae", { name: "SaeError", code: "CFG-1", message, details: {} });
  await openSaeFiles([new File(["x"], "cfg.json"), new File(["y"], "sae_weights.safetensors")]);
  expect(useSaeStore.getState()).toMatchObject({ refusal: message, opening: null });
  expect(saeInUse(useSaeStore.getState())).toEqual(shipped);
});

it("names a shipped autoencoder in the link, and never one from a disk", async () => {
  await bootStudio();
  const other = { ...shipped, id: "story-1", label: "Story, after layer 1" };
  putInUse(other);
  await settle();
  expect(page.hash).toContain("saes=story-1");
  putInUse(opened);
  await settle();
  expect(page.hash).not.toContain("saes");
  await chooseSae("story-1");
  expect(trainer.questions("loadSae")).toEqual([{ id: "story-1", files: null }]);
});

it("puts a held set aside with its autoencoder, and takes it up again", async () => {
  await bootStudio();
  toggleHeld(2);
  toggleHeld(0);
  expect(held()).toEqual([0, 2]);
  putInUse(opened);
  expect(held()).toEqual([]);
  expect(useHeldStore.getState().aside).toEqual({ "story-2": [0, 2] });
  toggleHeld(1);
  putInUse(shipped);
  expect(held()).toEqual([0, 2]);
  expect(useHeldStore.getState().aside).toEqual({ [saeKey(opened)]: [1] });
  toggleHeld(0);
  expect(held()).toEqual([2]);
});

it("keeps a link's held features for the autoencoder that is used first", async () => {
  await bootStudio("#/train?preset=tiny-dpo&heldFeatures=1,2&seed=7");
  expect(held()).toEqual([1, 2]);
  expect(useHeldStore.getState()).toMatchObject({ sae: "story-2", aside: {} });
});

it("keeps a link's held features for the autoencoder that it names", async () => {
  const other = { ...shipped, id: "story-1" };
  const { listSaes, loadSae } = testAnswers;
  Object.assign(testAnswers, { listSaes: { ...listSaes, embedded: [shipped, other] }, loadSae: other });
  await bootStudio("#/train?preset=tiny-dpo&heldFeatures=1,2&saes=story-1&seed=7");
  Object.assign(testAnswers, { listSaes, loadSae });
  expect(saeInUse(useSaeStore.getState())?.id).toBe("story-1");
  expect(held()).toEqual([1, 2]);
  expect(useHeldStore.getState()).toMatchObject({ sae: "story-1", aside: {} });
  expect(page.hash).toContain("heldFeatures=1,2&saes=story-1");
});

it("saves sets by name, and uses one with its own autoencoder only", async () => {
  await bootStudio();
  hold([2, 1]);
  saveHeld(" joy ");
  hold([0]);
  const [set] = useHeldStore.getState().saved;
  expect(set).toEqual({ name: "joy", sae: "story-2", features: [1, 2] });
  expect(JSON.parse(kept.get("prefscope.held-sets")!)).toEqual([set]);
  putInUse(opened);
  loadHeld(set!);
  expect(held()).toEqual([]);
  putInUse(shipped);
  loadHeld(set!);
  expect(held()).toEqual([1, 2]);
  dropSaved(set!);
  expect(useHeldStore.getState().saved).toEqual([]);
});

it("sets the next run up as FPO that holds the set, and goes to Train", async () => {
  await bootStudio();
  openTab("features", "held");
  hold([1]);
  trainHolding();
  expect(useSetupStore.getState().config).toMatchObject({ method: "fpo", heldFeatures: [1] });
  expect(useSetupStore.getState().config.params["featureMode"]).toBe(2);
  expect(usePlaceStore.getState().screen).toBe("train");
});

it("tells what share of the squared change a set carries", () => {
  const report = testAnswers.changeReport;
  // Changes of 0.6 and −0.01: 0.36 and 0.0001 squared.
  expect(shareOfChange(report, [0])).toBeCloseTo(0.36 / 0.3601, 10);
  expect(shareOfChange(report, [1, 7])).toBeCloseTo(0.0001 / 0.3601, 10);
  expect(shareOfChange({ ...report, changes: [] }, [0])).toBeNull();
});

it("keeps names in the browser for each autoencoder, and survives what else lies there", async () => {
  await bootStudio();
  kept.set("prefscope.feature-names.other", "[1]");
  readNames("other");
  expect(namesOf(useNameStore.getState(), "other")).toEqual({});
  nameFeature("story-2", 1, " tears ");
  expect(JSON.parse(kept.get("prefscope.feature-names.story-2")!)).toEqual({ 1: "tears" });
  nameFeature("story-2", 1, "");
  expect(namesOf(useNameStore.getState(), "story-2")).toEqual({});
});

it("forgets answers about another autoencoder at once, and the report with the run", async () => {
  await bootStudio();
  await featureTable.ask({ sae: "story-2" });
  await changeReport.ask({ sae: "story-2" });
  useMarkStore.setState({ mark: { feature: 0, token: "a", activation: 1 } });
  await train();
  expect(changeReport.useStore.getState().answer).toBeNull();
  expect(featureTable.useStore.getState().answer).not.toBeNull();
  putInUse(opened);
  expect(featureTable.useStore.getState().answer).toBeNull();
  expect(useMarkStore.getState().mark).toBeNull();
});

it("drops the answer to a question that another has overtaken", async () => {
  await bootStudio();
  const first = featureTable.ask({ sae: "story-2" });
  featureTable.forget();
  await first;
  expect(featureTable.useStore.getState()).toEqual({ answer: null, refusal: null, isAsking: false });
  featureTable.ensure("a", { sae: "story-2" });
  featureTable.ensure("a", { sae: "story-2" });
  await settle();
  expect(trainer.questions("featureTable")).toHaveLength(2);
});

it("asks about a run once it rests", () => {
  const run = { runId: "r", step: 5, phase: "training" } as const;
  expect(policyKey("x", run)).toBe(policyKey("x", { ...run, step: 6 }));
  expect(policyKey("x", { ...run, phase: "paused" })).not.toBe(
    policyKey("x", { ...run, phase: "paused", step: 6 }),
  );
  expect(policyKey(null, run)).toBeNull();
  expect(hasTunedModel({ runId: "r", step: 0 })).toBe(false);
  expect(hasTunedModel(run)).toBe(true);
});

it("collects how features move, and starts over with the next run", async () => {
  await bootStudio();
  await train();
  const say = (step: number, mean: number) => {
    trainer.say({
      type: "evaluation",
      runId: useRunStore.getState().runId!,
      step,
      activeMs: step,
      metrics: {},
      points: testPoints(0, 0),
      scores: testScores,
      features: {
        saes: [{ id: "story-2", width: 1 }],
        chosen: Float32Array.of(mean),
        rejected: Float32Array.of(0),
      },
    });
  };
  say(0, 1);
  say(10, 3);
  expect(featureHistory.changeOf(0)).toBe(1);
  await train();
  expect(featureHistory.length).toBe(0);
});

it("follows the training of an autoencoder and uses it when it is done", async () => {
  await bootStudio();
  editSae({ steps: 20 });
  await trainSae(false);
  expect(trainer.questions("trainSae")).toMatchObject([{ settings: { steps: 20 }, isContinued: false }]);
  const trained: SaeSummary = { ...shipped, id: "trained", origin: "trained", label: "Trained" };
  const event = { type: "sae", steps: 20, reason: "", sae: null } as const;
  trainer.say({ ...event, status: "training", step: 10, metrics: { loss: 2, eval_l0: 9 } });
  expect(isSaeTraining(useSaeTrainingStore.getState())).toBe(true);
  trainer.say({ ...event, status: "done", step: 20, metrics: { loss: 1 }, sae: trained });
  trainer.say({ ...event, status: "paused", step: 20, metrics: { loss: 1 } });
  const { points, heldOut } = useSaeTrainingStore.getState();
  expect(points.loss).toEqual([
    { x: 10, y: 2 },
    { x: 20, y: 1 },
  ]);
  expect(heldOut).toEqual({ eval_l0: 9 });
  expect(saeInUse(useSaeStore.getState())).toEqual(trained);
});

it("says which settings an autoencoder cannot be trained with", () => {
  const { settings } = useSaeTrainingStore.getState();
  expect(saeProblems(settings, 4)).toEqual([]);
  expect(saeSettings({ settings }, 2).layer).toBe(1);
  const bad = { ...settings, layer: 4, width: 20, k: 21, steps: 1.5, learningRate: 0 };
  expect(saeProblems(bad, 4)).toEqual([
    { field: "layer", message: "Must be between 0 and 3." },
    { field: "steps", message: "A whole number is needed here." },
    { field: "learningRate", message: "Must be between 0.000001 and 0.1." },
    { field: "k", message: "Must be at most the width, 20." },
  ]);
});
