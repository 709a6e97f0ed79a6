import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defaultConfig } from "../engine/training/config.ts";
import { configureTrainer, openTrainer } from "./connection.ts";
import { lossKey, showSurface, useLossLabStore } from "./lossLab.ts";
import { testAnswers, TestTrainer } from "./testTrainer.ts";

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

it("knows what the loss depends on", () => {
  const key = lossKey(defaultConfig);
  expect(lossKey({ ...defaultConfig, steps: 5, learningRate: 1, loraRank: 2, seed: 9 })).toBe(key);
  for (const change of [{ params: { beta: 0.4 } }, { sftWeight: 1 }, { secondMethod: "sft" }])
    expect(lossKey({ ...defaultConfig, ...change })).not.toBe(key);
});
