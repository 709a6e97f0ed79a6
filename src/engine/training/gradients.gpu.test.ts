/**
 * One micro-batch's gradients on WebGPU against those on the cpu backend, at widths where a wrong matmul shows: an
 * inner width of 2048 and a vocabulary of 2003 are what makes stock split-K kernels wrong while the loss still falls.
 */
import { describe, expect, it } from "vitest";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import type { RunConfig } from "./config.ts";
import { gradientsOf, lossOf } from "./gradients.testing.ts";
import { createPolicy } from "./policy.ts";
import { randomAdapter, tinyRun } from "./tinyRun.testing.ts";

const shape = {
  hiddenSize: 64,
  intermediateSize: 2048,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headDim: 16,
  vocabularySize: 2003,
} as const;
const TOLERANCE = 1e-4;
/** Of two ways to compute the same sums. */
const SAME = 1e-5;

async function gradientsOn(
  backend: "webgpu" | "cpu",
  { hasTiedEmbeddings, ...changes }: Partial<RunConfig> & { hasTiedEmbeddings: boolean },
) {
  const device = await openTestDevice(backend);
  const { model, dispose } = createTinyModel({ ...shape, hasTiedEmbeddings });
  const trainPairs = tinyPairs(3, { vocabularySize: shape.vocabularySize });
  const run = tinyRun(model, { loraRank: 8, loraAlpha: 16, ...changes }, { trainPairs });
  const policy = createPolicy(model, run.config, randomAdapter(model, 2, { rank: 8, spread: 0.05 }));
  const gradients = await gradientsOf({ run, policy });
  const loss = await lossOf({ run, policy });
  const { dispatches } = device.counters();
  policy.dispose();
  dispose();
  return { gradients, loss, dispatches };
}

describe("gradients on WebGPU", () => {
  it.each([
    ["adapters on all seven modules", { tuning: "lora", hasTiedEmbeddings: true }],
    ["every weight, head apart", { tuning: "full", hasTiedEmbeddings: false }],
    ["every weight, head tied", { tuning: "full", hasTiedEmbeddings: true }],
  ] as const)("are those of the cpu for %s", { timeout: 120_000 }, async (_, settings) => {
    const expected = await gradientsOn("cpu", settings);
    const actual = await gradientsOn("webgpu", settings);
    expect(actual.dispatches).toBeGreaterThan(0);
    expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()]);
    for (const [name, values] of expected.gradients) {
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true);
      compare(actual.gradients.get(name) ?? new Float32Array(), values, {
        label: name,
        tolerance: TOLERANCE,
      });
    }
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThan(TOLERANCE);
  });
});

describe("prompts that are shared on WebGPU", () => {
  it.each(["dpo", "simpo", "sft"])("give %s the gradients of prompts that are not", async (method) => {
    const settings = { method, hasTiedEmbeddings: true };
    const expected = await gradientsOn("webgpu", { ...settings, sharesPrompts: false });
    const actual = await gradientsOn("webgpu", { ...settings, sharesPrompts: true });
    expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()]);
    for (const [name, values] of expected.gradients) {
      compare(actual.gradients.get(name) ?? new Float32Array(), values, { label: name, tolerance: SAME });
    }
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThanOrEqual(SAME * expected.loss);
  });
});
