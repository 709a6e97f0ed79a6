/** Once a run has met all of its batches, a step makes nothing new on the device and leaves nothing behind. */
import { afterEach, expect, it, vi } from "vitest";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { tinyRun } from "./tinyRun.testing.ts";
import { train } from "./train.ts";

const STEPS = 12;
/** Steps until buffers and bind groups of every batch exist. */
const WARM_STEPS = 4;

afterEach(() => {
  vi.restoreAllMocks();
});

/** What is held on the device after every step of a run. */
async function follow(options: { readonly steps: number; readonly pairs: number }) {
  const device = await openTestDevice();
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model, { steps: options.steps }, { trainPairs: tinyPairs(options.pairs) });
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
  return (step: number) => {
    const state = states[step - 1];
    if (state === undefined) throw new Error(`The run has no step ${step}.`);
    return state;
  };
}

it("creates no buffer, bind group, pipeline or tensor after the first steps", async () => {
  const at = await follow({ steps: STEPS, pairs: 4 });
  const warm = at(WARM_STEPS);
  const last = at(STEPS);
  expect(warm.rest.buffers).toBeGreaterThan(0);
  expect(last.dispatches).toBeGreaterThan(warm.dispatches);
  expect(last.rest).toEqual(warm.rest);
});

it("soon has the buffers of batches of every length", async () => {
  const half = STEPS;
  const at = await follow({ steps: 2 * half, pairs: 96 });
  expect(at(2 * half).rest.numBytesAllocatedInGpu).toBeLessThan(1.1 * at(half).rest.numBytesAllocatedInGpu);
  // Each reading of the statistics and of the gradient's norm maps one staging buffer.
  expect(at(2 * half).rest.buffers - at(half).rest.buffers).toBeLessThan(0.2 * at(half).rest.buffers);
});
