import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import { configureTrainer, openTrainer } from "./connection.ts";
import { showSurface, useLossLabStore, watchSurface } from "./lossLab.ts";
import { useRunStore } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { testDescription } from "./testDescription.ts";
import { testAnswers, testPoints, TestTrainer } from "./testTrainer.ts";

let trainer: TestTrainer;
const initial = useLossLabStore.getState();
const lab = () => useLossLabStore.getState();
const settle = () => vi.advanceTimersByTimeAsync(200);
const withBeta = (beta: number) => ({ ...defaultConfig, params: { beta } });

beforeEach(() => {
  vi.useFakeTimers();
  useLossLabStore.setState(initial, true);
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
});

afterEach(() => {
  vi.useRealTimers();
});

it("asks once for a setup that has come to rest, and keeps the range beside the answer", async () => {
  showSurface(withBeta(0.1), 8);
  showSurface(withBeta(0.2), 8);
  showSurface(withBeta(0.3), 6);
  expect(lab()).toMatchObject({ surface: null, isAsking: true });
  await settle();
  const axis = { minimum: -6, maximum: 6, cells: 41 };
  expect(trainer.questions("lossSurface")).toEqual([{ config: withBeta(0.3), axis }]);
  expect(lab()).toEqual({ surface: { ...testAnswers.lossSurface, axis }, refusal: null, isAsking: false });
});

it("drops an answer that another question has overtaken", async () => {
  showSurface(withBeta(0.1), 8);
  vi.advanceTimersByTime(150);
  showSurface(withBeta(0.2), 4);
  await settle();
  expect(trainer.questions("lossSurface")).toHaveLength(2);
  expect(lab().surface?.axis.maximum).toBe(4);
});

it("says why there is no surface, and keeps the last one", async () => {
  showSurface(withBeta(0.1), 8);
  await settle();
  const shown = lab().surface;
  trainer.refusals.set("lossSurface", { name: "E", code: "CFG-1", message: "No such method.", details: {} });
  showSurface(withBeta(0.2), 8);
  await settle();
  expect(lab()).toEqual({ surface: shown, refusal: "No such method.", isAsking: false });
  showSurface(withBeta(Number.NaN), 8);
  expect(lab()).toEqual({ surface: shown, refusal: "A number is needed here.", isAsking: false });
  await settle();
  expect(trainer.questions("lossSurface")).toHaveLength(2);
});

it("asks again for what the loss depends on, and for nothing else", async () => {
  const asked = () => trainer.questions("lossSurface").length;
  const leave = watchSurface(8);
  await settle();
  expect(asked()).toBe(0);
  useSetupStore.setState({ description: testDescription });
  await settle();
  expect(asked()).toBe(1);
  const change = async (patch: Partial<RunConfig>) => {
    useSetupStore.setState({ config: { ...useSetupStore.getState().config, ...patch } });
    await settle();
  };
  await change({ steps: 5, learningRate: 1, loraRank: 2, seed: 9 });
  expect(asked()).toBe(1);
  await change({ params: { beta: 0.4 } });
  await change({ sftWeight: 1 });
  await change({ secondMethod: "sft" });
  expect(asked()).toBe(4);
  useRunStore.setState({ points: testPoints(1, 1) });
  await settle();
  useRunStore.setState({ points: testPoints(2, 1) });
  await settle();
  expect(asked()).toBe(5);
  leave();
  await change({ params: { beta: 0.5 } });
  expect(asked()).toBe(5);
});
