import { beforeEach, describe, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkContinued, checkSumOfTwo } from "../training/standing.testing.ts";

beforeEach(async () => {
  await openTestDevice("webgpu");
});

describe("adapters that stand on a model, on the device", () => {
  it("are their products in its matrices, and leave nothing when they are taken off", async () => {
    await checkSumOfTwo();
  });

  it("are where a run starts that goes on with them", async () => {
    await checkContinued();
  });

  it("are where a run with a live reference starts", async () => {
    await checkContinued({}, { method: "tdpo2", referenceMode: "live" });
  });
});
