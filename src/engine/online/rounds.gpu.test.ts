/** A short online run on WebGPU beside the same on the cpu backend. */
import { expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { train } from "../training/train.ts";
import { followOnline, onlineRun, resumedAt, type FollowedOnline } from "./onlineRun.testing.ts";

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

it("compares recorded steps with a live reference that moves", async () => {
  await openTestDevice("webgpu");
  const { model, dispose } = createTinyModel();
  const changes = { steps: 4, rounds: 2, referenceMode: "live" } as const;
  const { steps } = await followOnline(onlineRun(model, changes, { heldoutPrompts: [] }));
  expect(steps.map(({ metrics }) => metrics["margins/logratio"] === 0)).toEqual([true, false, true, false]);
  dispose();
});

it("goes on within a round as if never cut", async () => {
  await openTestDevice("webgpu");
  const { model, dispose } = createTinyModel();
  const run = onlineRun(model, { steps: 4, rounds: 2 }, { heldoutPrompts: [] });
  const whole = await followOnline(run);
  for await (const report of train(run)) {
    if (report.kind !== "milestone" || report.milestone.step !== 3) continue;
    const rest = await followOnline(await resumedAt(run, report.milestone));
    expect(rest.steps).toEqual(whole.steps.slice(3));
    expect(rest.tensors).toEqual(whole.tensors);
    break;
  }
  dispose();
});
