import { beforeEach, describe, expect, it } from "vitest";
import { objectives } from "../losses/index.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { mismatchedRatiosOf } from "./mismatched.ts";
import { checkLiveReference, checkStepGradient } from "./measures.testing.ts";
import { createPolicy } from "./policy.ts";
import { randomAdapter, tinyRun } from "./tinyRun.testing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("a live reference", () => {
  const names = Object.keys(objectives) as (keyof typeof objectives)[];
  it.each(names)("gives %s the run that a remembered one gives", (method) => checkLiveReference(method));
});

describe("the gradient of a step", () => {
  it("has the KL of both answers in it", () => checkStepGradient("tdpo1", { beta: 2 }, 2e-3));

  it("has the drift of features in it", () => {
    const params = { beta: 2, alpha: 5, topK: 4, stopGradientChosen: 0, featureMode: 0 };
    return checkStepGradient("fpo", params, 2e-3);
  });

  it("has the drift as the released code measures it in it", () => {
    const params = { beta: 2, alpha: 5, topK: 4, stopGradientChosen: 0, featureMode: 1 };
    return checkStepGradient("fpo", params, 2e-3);
  });
});

describe("mismatched answers", () => {
  it("are no likelier under an untouched adapter, and are under a trained one", async () => {
    const { model, dispose } = createTinyModel();
    const pairs = tinyPairs(4);
    const objective = objectives.kto;
    const untouched = createPolicy(model, tinyRun(model).config);
    const same = await mismatchedRatiosOf({ model, weights: untouched.weights, objective }, pairs);
    expect(same).toEqual(new Float64Array(4));
    const changed = createPolicy(model, tinyRun(model).config, randomAdapter(model, 3));
    const ratios = await mismatchedRatiosOf({ model, weights: changed.weights, objective }, pairs);
    expect(ratios?.every((ratio) => Math.abs(ratio) > 1e-3)).toBe(true);
    const asked = { model, weights: changed.weights, objective: objectives.dpo };
    expect(await mismatchedRatiosOf(asked, pairs)).toBeUndefined();
    untouched.dispose();
    changed.dispose();
    dispose();
  });
});
