/** Recorded micro-batches against live ones: the same numbers to the bit, and nothing new on the device. */
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { pairBatch } from "../data/batch.ts";
import { createRandom } from "../data/random.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { clear, dispose, memory, read, zeros } from "../tensor/run.ts";
import type { Device } from "../tensor/device.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { paddedSize, uploadBatch } from "./deviceBatch.ts";
import { addGradients, type BackwardPass, type HostPart, type Measured } from "./gradients.ts";
import { createPolicy } from "./policy.ts";
import { createStepRunner, type StepRunner } from "./stepRunner.ts";
import { randomAdapter, tinyRun, tinySae } from "./tinyRun.testing.ts";
import { train } from "./train.ts";

let device: Device;
// One device for all: compiling the texts takes longer than running them.
beforeAll(async () => {
  device = await openTestDevice();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Some gradient for every token; sums would hide a token in the wrong place. */
const host: HostPart = {
  gradients: ({ entries: { logps } }) => ({ logps: logps.map((logp, index) => logp * (index % 7)) }),
};

interface Setup {
  readonly pass: BackwardPass;
  readonly runner: StepRunner;
  readonly release: () => void;
}

function setUp(keeps: BackwardPass["keeps"]): Setup {
  const { model, dispose: disposeModel } = createTinyModel();
  const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 3));
  const flat = zeros(policy.parameters.theta.shape);
  const runner = createStepRunner();
  return {
    pass: { model, weights: policy.weights, keeps, sink: { flat, trainables: policy.trainables } },
    runner,
    release: () => {
      runner.dispose();
      policy.dispose();
      disposeModel();
      dispose(flat);
    },
  };
}

const batches = (): TokenPair[][] => {
  const pairs = tinyPairs(24, { seed: 8 });
  return [pairs.slice(0, 4), pairs.slice(4, 8), pairs.slice(8, 16), pairs.slice(16, 22)];
};

it.each(["everything", "layerInputs"] as const)("gives the gradients of live runs (%s)", async (keeps) => {
  const { pass, runner, release } = setUp(keeps);
  const { flat: sum } = pass.sink;
  for (const pairs of [...batches(), ...batches().toReversed()]) {
    const flat = pairBatch(pairs);
    clear(sum);
    const batch = uploadBatch(flat, [null], paddedSize(flat));
    await addGradients(pass, batch, host);
    batch.dispose();
    const live = await read(sum);
    clear(sum);
    await runner.run(pass, flat, host);
    expect(await read(sum)).toEqual(live);
    expect(Math.max(...live)).toBeGreaterThan(0);
    // What padding adds is not seen by anything.
    clear(sum);
    const unpadded = uploadBatch(flat);
    await addGradients(pass, unpadded, host);
    unpadded.dispose();
    const largest = Math.max(...live.map(Math.abs));
    for (const [index, value] of (await read(sum)).entries()) {
      expect(Math.abs(value - (live[index] ?? NaN))).toBeLessThanOrEqual(1e-6 * largest);
    }
  }
  release();
});

it.each([false, true])("replays token KL and features (live reference: %s)", async (isReferenceLive) => {
  const { pass, runner, release } = setUp("everything");
  const sae = tinySae();
  const tap = { saes: [sae], errors: { mode: "paper", topK: 4 } as const, startToken: null };
  const measured = {
    ...pass,
    measures: { hasTokenKl: true, isReferenceLive, tap, evaluationTap: tap, heldTap: null },
  };
  const { flat: sum } = pass.sink;
  // Two batches of one padded size, so that the second finds what the first has left; it fills less of it.
  const [first = []] = batches();
  const swapped = first.map(({ chosen, rejected, ...pair }) => ({
    ...pair,
    chosen: rejected,
    rejected: chosen,
  }));
  const second = swapped.map((pair, at) => (at === 0 ? { ...pair, rejected: pair.rejected.slice(1) } : pair));
  expect(paddedSize(pairBatch(second))).toEqual(paddedSize(pairBatch(first)));
  for (const [turn, pairs] of [first, second, first].entries()) {
    const flat = pairBatch(pairs);
    const random = createRandom(turn % 2);
    const states = flat.labels.length * pass.model.config.hiddenSize;
    const answers = flat.sequences;
    const features = {
      indices: Int32Array.from({ length: 8 * answers }, (_, place) => (place * 5) % sae.width),
      coefficients: Float32Array.from({ length: 8 * answers }, () => random.gaussian()),
    };
    let found: Measured | null = null;
    const asked: HostPart = {
      referenceHidden: Float32Array.from({ length: states }, () => random.gaussian()),
      gradients: (all) => {
        const { logps, divergences } = all.entries;
        found = all;
        return { logps, divergences: divergences.map((kl, index) => kl * (index % 5)), features: [features] };
      },
    };
    const batch = uploadBatch(flat, [null], paddedSize(flat));
    clear(sum);
    await addGradients(measured, batch, asked);
    batch.dispose();
    const [live, liveFound] = [await read(sum), found];
    clear(sum);
    await runner.run(measured, flat, asked);
    expect(found).toEqual(liveFound);
    expect(await read(sum)).toEqual(live);
    expect(Math.max(...live)).toBeGreaterThan(0);
  }
  sae.dispose();
  release();
});

it("makes nothing on the device once it has met all sizes", async () => {
  const { pass, runner, release } = setUp("everything");
  const everything = async () => {
    for (const pairs of batches()) await runner.run(pass, pairBatch(pairs), host);
  };
  await everything();
  await everything();
  const bytes = runner.bytes();
  const before = device.counters();
  const createBuffer = vi.spyOn(GPUDevice.prototype, "createBuffer");
  const createBindGroup = vi.spyOn(GPUDevice.prototype, "createBindGroup");
  await everything();
  expect(createBuffer).not.toHaveBeenCalled();
  expect(createBindGroup).not.toHaveBeenCalled();
  expect(device.counters().pipelines).toBe(before.pipelines);
  expect(device.counters().dispatches).toBeGreaterThan(before.dispatches);
  expect(runner.bytes()).toBe(bytes);
  release();
});

it("forgets a plan whose objective failed, and goes on", async () => {
  const { pass, runner, release } = setUp("everything");
  const [first = [], second = []] = batches();
  const fails = () => {
    throw new Error("stop");
  };
  await expect(runner.run(pass, pairBatch(first), { gradients: fails })).rejects.toThrow("stop");
  const gradientsOf = async (pairs: readonly TokenPair[]) => {
    clear(pass.sink.flat);
    await runner.run(pass, pairBatch(pairs), host);
    return read(pass.sink.flat);
  };
  await gradientsOf(second);
  const found = await gradientsOf(first);
  expect(await gradientsOf(first)).toEqual(found);
  release();
});

it("holds nothing after work that cannot be recorded", async () => {
  const { pass, runner, release } = setUp("everything");
  const [first = []] = batches();
  const before = memory().numTensors;
  // The layers go through; their head is not there.
  const base = new Map([...pass.weights.base].filter(([name]) => name !== "lm_head.weight"));
  const broken = { ...pass, weights: { ...pass.weights, base } };
  await expect(runner.run(broken, pairBatch(first), host)).rejects.toThrow("lm_head.weight");
  expect(memory().numTensors).toBe(before);
  await runner.run(pass, pairBatch(first), host);
  release();
});

it("makes no room for a run whose micro-batches are not recorded", async () => {
  const { model, dispose: disposeModel } = createTinyModel();
  const bytes: number[] = [];
  const run = tinyRun(model, { steps: 1, loraDropout: 0.1 });
  for await (const report of train(run)) if (report.kind === "ready") bytes.push(report.bytes);
  expect(bytes).toEqual([0]);
  disposeModel();
});

it.each(["forward", "backward"])("says before a run that there is no room for the %s pass", async (way) => {
  const { pass, runner, release } = setUp("everything");
  const [first = []] = batches();
  const tensors = memory().numTensors;
  const filters: GPUErrorFilter[] = [];
  let isFull = way === "forward";
  const mapAsync: unknown = Reflect.get(GPUBuffer.prototype, "mapAsync");
  // The statistics are read between the two passes.
  vi.spyOn(GPUBuffer.prototype, "mapAsync").mockImplementation(function (this: GPUBuffer, ...settings) {
    isFull = true;
    return Reflect.apply(mapAsync as GPUBuffer["mapAsync"], this, settings);
  });
  vi.spyOn(GPUDevice.prototype, "pushErrorScope").mockImplementation((filter) => void filters.push(filter));
  vi.spyOn(GPUDevice.prototype, "popErrorScope").mockImplementation(() =>
    Promise.resolve(filters.pop() === "out-of-memory" && isFull ? new GPUOutOfMemoryError("no room") : null),
  );
  await expect(runner.probe(pass, pairBatch(first))).rejects.toBeInstanceOf(GpuOutOfMemoryError);
  vi.restoreAllMocks();
  expect(runner.bytes()).toBe(0);
  expect(memory().numTensors).toBe(tensors);
  await runner.probe({ ...pass, keeps: "layerInputs" }, pairBatch(first));
  expect(runner.bytes()).toBeGreaterThan(0);
  // What was voided is recorded anew.
  await runner.run(pass, pairBatch(first), host);
  release();
});
