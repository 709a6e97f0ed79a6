import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { hasFixtures } from "../testing/fixtures.ts";
import { checkFeatureLosses } from "../testing/featureLossChecks.ts";
import { checkStoriesSae } from "../testing/saeChecks.ts";

/** Largest difference of drifts and gradients, as a share of the largest of each array. */
const TOLERANCE = 1e-3;

describe.skipIf(!hasFixtures)("sparse features on WebGPU equal the float64 references", () => {
  beforeEach(async () => {
    await openTestDevice("webgpu");
  });

  it("in the fixture autoencoder", { timeout: 60_000 }, () => checkStoriesSae("Gemma Scope 1"));

  it.each(["small", "padded", "peaky"])("in the drifts and gradients of %s", { timeout: 60_000 }, (name) =>
    checkFeatureLosses(name, TOLERANCE),
  );
});
