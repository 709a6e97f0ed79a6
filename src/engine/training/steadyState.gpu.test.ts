/** Once a run has met all of its batches, a step makes nothing new on the device and leaves nothing behind. */
import { afterEach, expect, it, vi } from "vitest";
import { memory } from "../tensor/run.ts";
import { closeTestDevice, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { tinyRun } from "./tinyRun.testing.ts";
import { train } from "./train.ts";

const STEPS = 12;
/** Steps until buffers and bind groups of every batch exist. */
const WARM_STEPS = 4;

afterEach(async () => {
  vi.restoreAllMocks();
  await closeTestDevice();
});

it("creates no buffer, bind group, pipeline or tensor after the first steps", async () => {
  const device = await openTestDevice();
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model, { steps: STEPS }, { trainPairs: tinyPairs(4) });
  const createBuffer = vi.spyOn(GPUDevice.prototype, "createBuffer");
  const held = () => {
    const { dispatches, bindGroups, pipelines } = device.counters();
    const { numTensors, numBytesAllocatedInGpu } = memory();
    const buffers = createBuffer.mock.calls.length;
    return { dispatches, rest: { buffers, bindGroups, pipelines, numTensors, numBytesAllocatedInGpu } };
  };
  const states: ReturnType<typeof held>[] = [];
  for await (const report of train(run)) if (report.kind === "step") states.push(held());
  dispose();
  const warm = states[WARM_STEPS - 1];
  const last = states[STEPS - 1];
  expect(warm?.rest.buffers).toBeGreaterThan(0);
  expect(last?.dispatches).toBeGreaterThan(warm?.dispatches ?? Infinity);
  expect(last?.rest).toEqual(warm?.rest);
});
