import { expect, it, vi } from "vitest";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { largestBinding, memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { countTrainable } from "./policy.ts";
import { follow, tinyRun } from "./tinyRun.testing.ts";

vi.mock("../tensor/run.ts", { spy: true });

it.each(["lora", "full"] as const)("refuses to train more than the device can bind (%s)", async (tuning) => {
  await openTestDevice("cpu");
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model, { tuning, steps: 1 });
  const bytes = 4 * countTrainable(model, run.config);
  const before = memory().numTensors;
  vi.mocked(largestBinding).mockReturnValue(bytes - 1);
  await expect(follow(run)).rejects.toBeInstanceOf(GpuOutOfMemoryError);
  await expect(follow(run)).rejects.toThrow("train adapters, on fewer layers");
  expect(memory().numTensors).toBe(before);
  vi.mocked(largestBinding).mockReturnValue(bytes);
  expect((await follow(run)).steps).toHaveLength(1);
  dispose();
});
