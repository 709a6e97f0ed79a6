/** A short online run on WebGPU beside the same on the cpu backend. */
import { expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { followOnline, onlineRun, type FollowedOnline } from "./onlineRun.testing.ts";

async function onBackend(backend: "cpu" | "webgpu"): Promise<FollowedOnline> {
  await openTestDevice(backend);
  const { model, dispose } = createTinyModel();
  try {
    return await followOnline(onlineRun(model, { steps: 4, rounds: 2 }));
  } finally {
    dispose();
  }
}

it("draws the same answers, makes the same pairs and takes the same steps", async () => {
  const expected = await onBackend("cpu");
  const found = await onBackend("webgpu");
  expect(found.rounds.map(({ prompts }) => prompts)).toEqual(expected.rounds.map(({ prompts }) => prompts));
  expect(found.steps.map(({ metrics }) => metrics["margins/logratio"] === 0)).toEqual([
    true,
    false,
    true,
    false,
  ]);
  for (const [place, { metrics }] of expected.steps.entries()) {
    for (const name of ["loss", "margins/logratio", "grad_norm"]) {
      const difference = Math.abs((found.steps[place]?.metrics[name] ?? NaN) - (metrics[name] ?? NaN));
      expect(difference, `${name} of step ${place + 1}`).toBeLessThan(
        1e-3 * Math.max(1, Math.abs(metrics[name] ?? 0)),
      );
    }
  }
  for (const [place, { metrics }] of expected.evaluations.entries()) {
    for (const [name, value] of Object.entries(metrics)) {
      const difference = Math.abs((found.evaluations[place]?.metrics[name] ?? NaN) - value);
      expect(difference, `${name} after ${place} rounds`).toBeLessThan(1e-3 * Math.max(1, Math.abs(value)));
    }
  }
});
