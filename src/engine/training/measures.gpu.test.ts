import { beforeAll, describe, expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { checkLiveReference, checkStepGradient } from "./measures.testing.ts";

beforeAll(async () => {
  await openTestDevice();
});

describe("a live reference", () => {
  it.each(["dpo", "tdpo2", "fpo"] as const)("gives %s the run that a remembered one gives", (method) =>
    checkLiveReference(method),
  );
});

it("gives FPO over two layers the run that a remembered reference gives", () =>
  checkLiveReference("fpo", { layers: [0, 1] }));

describe("the gradient of a step", () => {
  const tolerance = 5e-3;

  it("has the KL of both answers in it", async () => {
    await checkStepGradient("tdpo1", { beta: 2 }, { tolerance });
  });

  it("has the drift of features in it", async () => {
    const params = { beta: 2, alpha: 5, topK: 4, stopGradientChosen: 0, featureMode: 0 };
    await checkStepGradient("fpo", params, { tolerance });
  });

  it("has the held features of two layers in it, as on the cpu", async () => {
    const params = { beta: 2, alpha: 5, topK: 4, stopGradientChosen: 0, featureMode: 2 };
    const compared = { layers: [0, 1], heldFeatures: [3, 26, 17, 33], tolerance };
    const found = await checkStepGradient("fpo", params, compared);
    await openTestDevice("cpu");
    const expected = await checkStepGradient("fpo", params, compared);
    const largest = Math.max(...expected.map(Math.abs));
    found.forEach((value, at) => {
      expect(Math.abs(value - (expected[at] ?? NaN))).toBeLessThanOrEqual(1e-4 * largest);
    });
  });
});
