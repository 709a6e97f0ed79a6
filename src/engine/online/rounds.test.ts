/** Whole online runs: what they draw, what they train on, and that they go on from anywhere as if never cut. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model } from "../models/decoder.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { follow, lastOf } from "../training/tinyRun.testing.ts";
import { functionJudge, followOnline, meanId, onlineRun } from "./onlineRun.testing.ts";

vi.setConfig({ testTimeout: 30_000 });

let tiny: ReturnType<typeof createTinyModel>;
let model: Model;

beforeEach(async () => {
  await openTestDevice("cpu");
  tiny = createTinyModel();
  ({ model } = tiny);
});

afterEach(() => {
  tiny.dispose();
});

describe("an online run", () => {
  it("divides the steps into rounds and draws every prompt once a round where all are drawn anew", async () => {
    const judge = functionJudge(meanId);
    const run = onlineRun(model, { regeneratedShare: 1, steps: 7 }, { judges: [{ judge, weight: 1 }] });
    const { rounds, steps, isLast } = await followOnline(run);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(rounds.map(({ round, step, isOver }) => [round, step, isOver])).toEqual([
      [0, 0, false],
      [0, 0, true],
      [1, 2, false],
      [1, 2, true],
      [2, 4, false],
      [2, 4, true],
    ]);
    for (const { prompts, metrics } of rounds) {
      expect(prompts.map(({ isRegenerated }) => isRegenerated)).toEqual([true, true, true, true]);
      expect(metrics["online/regenerated_share"]).toBe(1);
    }
    expect(isLast).toBe(true);
  });

  it("is the offline run where no prompt is drawn anew", async () => {
    const changes = { regeneratedShare: 0, firstPairs: "data", onlineReference: "initial" } as const;
    const online = onlineRun(model, changes);
    const { online: _rounds, ...offline } = onlineRun(model, changes);
    const found = await followOnline(online);
    const expected = await follow(offline);
    expect(found.steps.map(({ metrics }) => metrics)).toEqual(expected.steps);
    expect(found.tensors).toEqual(lastOf(expected));
  });
});

it("holds no tensor after its end", async () => {
  const before = memory().numTensors;
  await followOnline(onlineRun(model));
  expect(memory().numTensors).toBe(before);
});
