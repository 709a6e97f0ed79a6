/** Rows whose answers belong to two prompts, and rows with one answer, train as the pairs that they are part of. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TokenPair } from "../data/tokenPair.ts";
import type { Model } from "../models/decoder.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { follow, lastOf, randomAdapter, tinyRun, tinySae, type Saved } from "./tinyRun.testing.ts";

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

/** Every chosen answer beside the rejected answer of the next pair, each with its own prompt. */
function crossed(pairs: readonly TokenPair[]): TokenPair[] {
  return pairs.map((pair, index) => {
    const other = pairs[(index + 1) % pairs.length] ?? pair;
    return { ...pair, rejected: other.rejected, rejectedPrompt: other.prompt };
  });
}

const rotated = (values: Float32Array) => [...values.slice(1), ...values.slice(0, 1)];

const pairMetrics = (names: readonly string[]) =>
  names.filter((name) => /margin|accuracies|kl\/margin/.test(name));

function expectSameState(actual: Saved, expected: Saved) {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const gaps = values.map((value, index) => Math.abs(value - (actual[name]?.[index] ?? NaN)));
    expect(Math.max(...gaps), name).toBeLessThan(1e-5);
  }
}

describe("answers to two prompts", () => {
  it.each([true, false])("train as they do within pairs (shared prompts: %s)", async (sharesPrompts) => {
    const changes = { method: "aot_unpaired", steps: 2, isShuffled: false, sharesPrompts } as const;
    const initialAdapter = randomAdapter(model, 3);
    const pairs = tinyPairs(4);
    const parts = { initialAdapter, heldoutPairs: pairs };
    const paired = await follow(tinyRun(model, changes, { ...parts, trainPairs: pairs }));
    const apart = await follow(
      tinyRun(model, changes, { initialAdapter, trainPairs: crossed(pairs), heldoutPairs: crossed(pairs) }),
    );
    // The ranks of all chosen and all rejected answers do not depend on who stands beside whom.
    expectSameState(lastOf(apart), lastOf(paired));
    expect(apart.steps[0]?.["loss"]).toBeCloseTo(paired.steps[0]?.["loss"] ?? NaN, 6);

    const [own, other] = [paired.evaluations[0], apart.evaluations[0]];
    expect([...(other?.scores.chosenLogps ?? [])]).toEqual([...(own?.scores.chosenLogps ?? [])]);
    rotated(own?.scores.rejectedLogps ?? new Float32Array()).forEach((logp, index) =>
      expect(other?.scores.rejectedLogps[index]).toBeCloseTo(logp, 4),
    );
  });

  it("are not compared with one another", async () => {
    const run = tinyRun(
      model,
      { method: "kto", steps: 1 },
      { trainPairs: crossed(tinyPairs(8)), heldoutPairs: crossed(tinyPairs(4)) },
    );
    const { steps, evaluations } = await follow(run);
    const names = [...Object.keys(steps[0] ?? {}), ...Object.keys(evaluations[0]?.metrics ?? {})];
    expect(pairMetrics(names)).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(["rewards/chosen", "rewards/rejected", "eval_logps/rejected"]),
    );
    expect(Object.values(steps[0] ?? {}).every(Number.isFinite)).toBe(true);
  });
});

describe("rows with one answer", () => {
  const single = (pairs: readonly TokenPair[]): TokenPair[] =>
    pairs.map((pair) => ({ ...pair, rejected: new Int32Array() }));

  it.each([true, false])("train as their pairs do in SFT (shared prompts: %s)", async (sharesPrompts) => {
    const changes = { method: "sft", steps: 2, sharesPrompts } as const;
    const pairs = tinyPairs(6);
    const whole = await follow(tinyRun(model, changes, { trainPairs: pairs }));
    const sae = tinySae();
    const features = { saes: [sae], startToken: null };
    const parts = { trainPairs: single(pairs), heldoutPairs: single(tinyPairs(4, { seed: 2 })), features };
    const alone = await follow(tinyRun(model, changes, parts));
    sae.dispose();
    expectSameState(lastOf(alone), lastOf(whole));
    expect(alone.steps[1]?.["loss"]).toBeCloseTo(whole.steps[1]?.["loss"] ?? NaN, 6);
    // Before the first step the policy is the reference: all of its features are the same.
    expect(alone.evaluations[0]?.metrics["eval_features/overlap"]).toBe(1);
    const names = [...Object.keys(alone.steps[0] ?? {}), ...Object.keys(alone.evaluations[0]?.metrics ?? {})];
    expect(pairMetrics(names)).toEqual([]);
    expect(names.filter((name) => name.includes("rejected"))).toEqual([]);
    for (const record of [...alone.steps, ...alone.evaluations.map(({ metrics }) => metrics)])
      expect(Object.entries(record).filter(([, value]) => !Number.isFinite(value))).toEqual([]);
  });
});
