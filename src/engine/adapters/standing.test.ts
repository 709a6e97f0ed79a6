import { beforeEach, describe, expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import { memory } from "../tensor/run.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { createPolicy, whyNotOn } from "../training/policy.ts";
import { checkContinued, checkSumOfTwo, sumOfTwo } from "../training/standing.testing.ts";
import { follow, tinyRun } from "../training/tinyRun.testing.ts";
import { rankOf, standOn, sumAdapters } from "./standing.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("a sum of adapters", () => {
  // δ₁ = 2·[1 2]ᵀ[1 0 1] = [[2 0 2] [4 0 4]], δ₂ = ½·[[1 0] [0 1]]·[[0 4 0] [2 0 0]] = [[0 2 0] [1 0 0]].
  const first = { a: Float32Array.of(1, 0, 1), b: Float32Array.of(1, 2), rank: 1, inputs: 3, outputs: 2 };
  const second = {
    a: Float32Array.of(0, 4, 0, 2, 0, 0),
    b: Float32Array.of(1, 0, 0, 1),
    rank: 2,
    inputs: 3,
    outputs: 2,
  };

  it("stacks A, sets columns of B beside each other, and multiplies B by each scale", () => {
    const sum = sumAdapters([
      { modules: new Map([["m", first]]), scaleOf: () => 2 },
      { modules: new Map([["m", second]]), scaleOf: () => 0.5 },
    ]);
    const { a, b, rank } = sum.get("m")!;
    expect(rank).toBe(3);
    expect([...a]).toEqual([1, 0, 1, 0, 4, 0, 2, 0, 0]);
    expect([...b]).toEqual([2, 0.5, 0, 4, 0, 0.5]);
    const product = [0, 1].flatMap((row) =>
      [0, 1, 2].map((column) =>
        [0, 1, 2].reduce((total, each) => total + b[row * 3 + each]! * a[each * 3 + column]!, 0),
      ),
    );
    expect(product).toEqual([2, 2, 2, 5, 0, 4]);
    expect(rankOf(sum)).toBe(3);
  });

  it("leaves out what is multiplied by 0, and is nothing without adapters", () => {
    const off = { modules: new Map([["m", second]]), scaleOf: () => 0 };
    expect(sumAdapters([off, { modules: new Map([["m", first]]), scaleOf: () => 1 }]).get("m")?.rank).toBe(1);
    expect(rankOf(sumAdapters([off]))).toBe(0);
  });
});

describe("adapters that stand on a model", () => {
  it("are their products in its matrices, and leave nothing when they are taken off", async () => {
    await checkSumOfTwo();
  });

  it("are the same on the tape", async () => {
    await checkSumOfTwo({ hasPostNorms: true });
  });

  it.each([
    ["remembered", {}],
    ["live, with token KL", { method: "tdpo2", referenceMode: "live" } as const],
    ["remembered, with token KL", { method: "tdpo2" } as const],
  ])("are where a run starts that goes on with them: reference %s", async (_name, changes) => {
    await checkContinued({}, changes);
  });

  it("are where a run on the tape starts", async () => {
    await checkContinued({ hasPostNorms: true });
  });

  it("are not touched by the run, which frees what it made", async () => {
    const { model } = createTinyModel();
    const stood = standOn(model, sumOfTwo(model));
    const before = memory().numTensors;
    await follow(tinyRun(stood.model, { loraRank: 5, steps: 1 }));
    expect(memory().numTensors).toBe(before);
    stood.dispose();
  });

  it("ask for a rank, modules and layers that hold them, with both numbers", () => {
    const { model } = createTinyModel();
    const { model: stood } = standOn(model, sumOfTwo(model));
    const settings = { ...tinyRun(model).config, loraRank: 5 };
    expect(whyNotOn(stood, settings)).toBeNull();
    expect(whyNotOn(stood, { ...settings, loraRank: 4 })).toEqual({
      field: "loraRank",
      message:
        "The adapters that stand on the model have rank 5 together, the run has rank 4: give it at least 5, or take some of them off.",
    });
    const missing = whyNotOn(stood, { ...settings, loraTargets: ["q_proj", "v_proj", "up_proj", "o_proj"] });
    expect(missing?.field).toBe("loraTargets");
    expect(missing?.message).toContain('"model.layers.0.mlp.down_proj"');
    expect(whyNotOn(stood, { ...settings, topLayers: 1 })?.field).toBe("topLayers");
    expect(whyNotOn(stood, { ...settings, tuning: "full" })?.field).toBe("tuning");
    expect(() => createPolicy(stood, { ...settings, loraRank: 4 })).toThrow("rank 5 together");
    expect(() => createPolicy(stood, { ...settings, tuning: "full" })).toThrow("take them off");
    expect(whyNotOn(model, { ...settings, tuning: "full" })).toBeNull();
  });
});
