import { describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures, isWholeTrajectory } from "../testing/fixtures.ts";
import { checkTrajectory, trajectoryNames, trajectoryVariants } from "./trajectories.testing.ts";

const names = await trajectoryNames();

describe.skipIf(!hasFixtures)("training follows the float64 reference on WebGPU", () => {
  it.each(names)("%s", { timeout: 600_000 }, async (name) => {
    await openTestDevice("webgpu");
    await checkTrajectory(name);
  });

  // In `npm test` the gradients of whole models and the cpu's trajectories stand for these.
  const variants = isWholeTrajectory ? trajectoryVariants : [];
  it.each(variants)("dpo with %s", { timeout: 600_000 }, async (_, changes) => {
    await openTestDevice("webgpu");
    await checkTrajectory("dpo", changes);
  });
});
