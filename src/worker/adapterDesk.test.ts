import { beforeEach, describe, expect, it } from "vitest";
import type { Model } from "../engine/models/decoder.ts";
import { memory } from "../engine/tensor/run.ts";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { createTinyModel } from "../engine/testing/tinyModel.ts";
import { referenceLogits, worstOf } from "../engine/training/standing.testing.ts";
import { follow, lastOf, tinyRun } from "../engine/training/tinyRun.testing.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { createAdapterDesk, type AdapterDesk } from "./adapterDesk.ts";
import type { ExportedRun } from "./exporting.ts";
import { tinyModelFiles } from "./tinyStudio.testing.ts";

interface Session {
  model: Model | null;
  run: ExportedRun | null;
  isRunning: boolean;
}

function openDesk(session: Session): AdapterDesk {
  const store = memoryStore();
  return createAdapterDesk({
    loaded: () =>
      session.model === null
        ? null
        : { id: "local", model: session.model, files: tinyModelFiles(), weights: "keep", license: null },
    replace: (model) => {
      session.model = model;
      session.run = null;
    },
    run: () => Promise.resolve(session.run),
    isRunning: () => session.isRunning,
    alone: (change) => change(),
    store: () => Promise.resolve(store),
    now: () => 1,
  });
}

async function trained(model: Model, loraRank = 2): Promise<ExportedRun> {
  const run = tinyRun(model, { learningRate: 0.05, loraRank });
  const tensors = lastOf(await follow(run));
  const checkpoint = { runId: "", step: 3, activeMs: 0, tensors, rounds: null };
  return { config: run.config, checkpoint, data: null, before: null, after: null };
}

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("the desk of adapters", () => {
  it("keeps a run's adapter, stands it on the model, goes on from there, and gives it out", async () => {
    const { model } = createTinyModel();
    const session: Session = { model, run: await trained(model), isRunning: false };
    const desk = openDesk(session);
    const own = await desk.handlers.keepAdapter({ label: "first" });
    expect(own).toMatchObject({ label: "first", origin: "run", rank: 2, layers: 2, problem: null });
    const tensors = memory().numTensors;
    const chosen = [{ id: own.id, scale: 1 }];
    expect(await desk.handlers.useAdapters({ adapters: chosen })).toMatchObject({ rank: 2 });
    expect(session.run).toBeNull();
    const logits = await referenceLogits(session.model!);
    expect(worstOf(logits, await referenceLogits(model))).toBeGreaterThan(0.01);
    const standing = memory().numTensors;
    // The same ones stay where they are.
    const before = session.model;
    await desk.provide(chosen);
    expect(session.model).toBe(before);

    session.run = await trained(session.model!, 3);
    const second = await desk.handlers.keepAdapter({ label: "second" });
    expect(second.rank).toBe(3);
    const files = await desk.handlers.exportModel({ kind: "merged", isZip: false });
    expect(files.map(({ name }) => name)).toContain("training_args.json");
    await desk.handlers.useAdapters({ adapters: [{ id: second.id, scale: -0.5 }] });
    expect(memory().numTensors).toBe(standing);
    expect(desk.standing().adapters).toEqual([{ id: second.id, label: "second", scale: -0.5 }]);
    await desk.handlers.useAdapters({ adapters: [] });
    expect(memory().numTensors).toBe(tensors);
    expect(await referenceLogits(session.model!)).toEqual(await referenceLogits(model));
  });

  it("changes nothing while a run goes on, nor without a model, nor when it fails", async () => {
    const { model } = createTinyModel();
    const session: Session = { model, run: await trained(model), isRunning: false };
    const desk = openDesk(session);
    const { id } = await desk.handlers.keepAdapter({ label: "first" });
    session.isRunning = true;
    const use = (wanted: string) => desk.handlers.useAdapters({ adapters: [{ id: wanted, scale: 1 }] });
    await expect(use(id)).rejects.toThrow("stop it first");
    session.isRunning = false;
    await expect(use("adapter:0")).rejects.toThrow("no adapter");
    expect(session.model).toBe(model);
    session.model = null;
    await expect(use(id)).rejects.toThrow("Load a model first");
    session.run = null;
    await expect(desk.handlers.keepAdapter({ label: "" })).rejects.toThrow("train at least one step");
  });
});
