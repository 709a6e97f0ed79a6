/** On the cpu nobody else has a turn while an operation runs, so a pass gives it up between layers. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { gradientsOf, lossOf } from "./gradients.testing.ts";
import { createPolicy } from "./policy.ts";
import { tinyRun } from "./tinyRun.testing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

afterEach(() => {
  vi.restoreAllMocks();
});

it("gives up the turn in every layer of a pass, forward and backward", async () => {
  const { model, dispose } = createTinyModel();
  const run = tinyRun(model);
  const policy = createPolicy(model, run.config);
  // Once the reference is known, a loss is one forward pass and a gradient one in either direction.
  await lossOf({ run, policy });
  let now = performance.now();
  // A clock on which everything takes longer than a turn may.
  vi.spyOn(performance, "now").mockImplementation(() => (now += 1000));
  const timer = vi.spyOn(globalThis, "setTimeout");
  const turnsOf = async (work: Promise<unknown>) => {
    await work;
    const turns = timer.mock.calls.length;
    timer.mockClear();
    return turns;
  };
  const { layers } = model.config;
  expect(await turnsOf(lossOf({ run, policy }))).toBeGreaterThan(layers);
  expect(await turnsOf(gradientsOf({ run, policy }))).toBeGreaterThan(2 * layers);
  policy.dispose();
  dispose();
});
