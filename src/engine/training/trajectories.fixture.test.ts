import { describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures } from "../testing/fixtures.ts";
import { checkTrajectory, trajectoryNames, trajectoryVariants } from "./trajectories.testing.ts";

const names = await trajectoryNames();

describe.skipIf(!hasFixtures)("training follows the float64 reference on the cpu backend", () => {
  it.each(names)("%s", { timeout: 600_000 }, async (name) => {
    await openTestDevice("cpu");
    await checkTrajectory(name);
  });

  it.each(trajectoryVariants)("dpo with %s", { timeout: 600_000 }, async (_, changes) => {
    await openTestDevice("cpu");
    await checkTrajectory("dpo", changes);
  });
});
