/** Adapters of the architectures whose layers are not fused: a whole pass on WebGPU against the same on the cpu backend. */
import { describe, expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { goldenNames, readGoldenModel } from "../testing/goldenModels.ts";
import { expectAgreement, passResults, type PassCase } from "../training/passResults.testing.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { hasFusedShape } from "./fusedPass.ts";
import { openPass } from "./openPass.ts";

const TOLERANCE = 1e-4;
const fused: readonly string[] = ["llama-llama3", "llama-linear", "qwen2", "qwen3"];

async function goldenCase(name: string): Promise<PassCase> {
  const { config, stored } = await readGoldenModel(name);
  expect(hasFusedShape(config)).toBe(false);
  return { model: config, arrays: openCheckpoint(config, stored, "model.safetensors") };
}

describe("adapters on every linear, trained through layers on the tape", () => {
  it.each(goldenNames.filter((name) => !fused.includes(name)))(
    "have the cpu's gradients on WebGPU in %s",
    { timeout: 60_000 },
    async (name) => {
      const testCase = await goldenCase(name);
      await openTestDevice("cpu");
      const expected = await passResults(openPass, testCase);
      const device = await openTestDevice("webgpu");
      const before = device.counters().dispatches;
      const actual = await passResults(openPass, testCase);
      expect(device.counters().dispatches).toBeGreaterThan(before);
      expectAgreement(actual, expected, TOLERANCE);
    },
  );
});
