import { beforeEach, describe, expect, it } from "vitest";
import type { ModelConfig } from "../models/config.ts";
import { uploadModel } from "../models/loadModel.ts";
import { checkpointShapes } from "../models/checkpoint.ts";
import type { Device } from "../tensor/device.ts";
import { probeRoom } from "../tensor/probeRoom.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { stubOf } from "../testing/storedTensors.ts";
import { tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import { defaultConfig } from "./config.ts";
import { estimateRun } from "./estimate.ts";
import { fitOf, neededBytes, verdictOf } from "./fit.ts";

let device: Device;
beforeEach(async () => {
  device = await openTestDevice("cpu");
});

const headersOf = (config: ModelConfig) =>
  new Map([...tinyArrays(config)].map(([name, array]) => [name, stubOf(array)]));
const ids = (length: number) => new Int32Array(length);
/** One pair as the small step has it. */
const pair = { prompt: ids(64), chosen: ids(64), rejected: ids(64), row: 0 };

describe("what a model needs", () => {
  it.each<readonly [string, Partial<ModelConfig>]>([
    ["small", { maxPositions: 256 }],
    [
      "wide, with a large vocabulary",
      { hiddenSize: 96, intermediateSize: 256, vocabularySize: 2000, maxPositions: 256 },
    ],
    ["deep, tied and biased", { layers: 7, hasTiedEmbeddings: true, hasQkvBias: true, maxPositions: 256 }],
  ])("is what the estimate says of the loaded one (%s)", (_, changes) => {
    const config = { ...tinyConfig, ...changes };
    for (const [weights, layout] of [
      ["f32", "f32"],
      ["q4", "q4m"],
    ] as const) {
      // prettier-ignore
      const before = memory();
      const planned = neededBytes(config, headersOf(config), weights);
      expect(memory()).toEqual(before);
      const { model, dispose } = uploadModel(config, tinyArrays(config), layout);
      const run = { ...defaultConfig, batchPairs: 1, steps: 1, evalPairs: 1 };
      const { memoryBytes } = estimateRun(model, run, { train: [pair], heldout: [] });
      dispose();
      const estimated = memoryBytes.weights + memoryBytes.adapter + memoryBytes.activations;
      expect(Math.abs(planned - estimated) / estimated).toBeLessThan(0.15);
    }
  });

  it("is less in fewer bits", () => {
    const config = { ...tinyConfig, hiddenSize: 256, intermediateSize: 512 };
    const needs = (["f32", "f16", "q8", "q4"] as const).map((weights) =>
      neededBytes(config, headersOf(config), weights),
    );
    expect(needs).toEqual(needs.toSorted((a, b) => b - a));
    expect(new Set(needs).size).toBe(4);
  });
});

describe("fitOf", () => {
  it("compares with what the device gives", async () => {
    const config = tinyConfig;
    const stored = headersOf(config);
    expect([...stored.keys()]).toEqual([...checkpointShapes(config).keys()]);
    const fit = await fitOf({ config, tensors: stored, file: "model.safetensors" }, device);
    expect(Object.keys(fit)).toEqual(["keep", "f32", "f16", "q8", "q4"]);
    expect(fit.f32).toMatchObject({ verdict: "fits", neededBytes: neededBytes(config, stored, "f32") });
    expect(fit.keep).toEqual(fit.f32);
  });

  it("has a verdict for every share", () => {
    expect(verdictOf(80, 100)).toEqual({ verdict: "fits", neededBytes: 80, availableBytes: 100 });
    expect(verdictOf(81, 100).verdict).toBe("tight");
    expect(verdictOf(100, 100).verdict).toBe("tight");
    expect(verdictOf(101, 100).verdict).toBe("tooBig");
    expect(verdictOf(1, 100, false).verdict).toBe("tooBig");
  });
});

/** A device that gives so many bytes, in buffers of at most so many. */
function scriptedDevice(room: number, maxBufferSize: number) {
  let [used, peak] = [0, 0];
  const scopes: (Error | null)[] = [];
  const gpuDevice = {
    pushErrorScope: () => scopes.push(null),
    popErrorScope: () => Promise.resolve(scopes.pop() ?? null),
    createBuffer: ({ size }: { size: number }) => {
      const isThere = used + size <= room && size <= maxBufferSize;
      if (isThere) used += size;
      else scopes[scopes.length - 1] = new Error("no room");
      peak = Math.max(peak, used);
      return { destroy: () => (used -= isThere ? size : 0) };
    },
  };
  const opened = {
    ...device,
    gpuDevice,
    report: { ...device.report, limits: { ...device.report.limits, maxBufferSize } },
  };
  return { opened: opened as unknown as Device, used: () => used, peak: () => peak };
}

describe("probeRoom", () => {
  const megabyte = 2 ** 20;
  it.each([
    [4096, 1000, 2000, 1000],
    [700, 1000, 2000, 700],
    [4096, 8, 2000, 8],
    [4096, 1000, 128, 1000],
  ])("of %d MB, asked for %d, in buffers of at most %d MB: %d", async (room, asked, largest, given) => {
    const { opened, used } = scriptedDevice(room * megabyte, largest * megabyte);
    const found = (await probeRoom(opened, asked * megabyte)) / megabyte;
    expect(found).toBeLessThanOrEqual(given);
    // What is less than the smallest buffer is not looked for.
    expect(found).toBeGreaterThan(given - 16);
    expect(used()).toBe(0);
  });

  it("gives no more than half of the memory of the machine on the cpu", async () => {
    expect(await probeRoom(device, 1000)).toBe(1000);
    expect(await probeRoom(device, 1e12)).toBeLessThanOrEqual(4 * 2 ** 30);
  });
});
