import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkDistribution, drawnDistributions } from "../testing/distributionChecks.ts";

beforeEach(async () => {
  await openTestDevice("webgpu");
});

describe("ten thousand drawn tokens on WebGPU", () => {
  it.each(drawnDistributions)("follow the softmax of the logits: $name", { timeout: 60_000 }, (setting) =>
    checkDistribution(setting),
  );
});
