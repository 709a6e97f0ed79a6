import { beforeAll, describe, it } from "vitest";
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

describe("the gradient of a step", () => {
  it("has the KL of both answers in it", () => checkStepGradient("tdpo1", { beta: 2 }, 5e-3));

  it("has the drift of features in it", () => {
    const params = { beta: 2, alpha: 5, topK: 4, stopGradientChosen: 0, featureMode: 0 };
    return checkStepGradient("fpo", params, 5e-3);
  });
});
