/** What the reference pass remembers must be what the untouched policy itself computes. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { createReferenceCache, onlyLogps, type ReferenceCache } from "../reference/referenceCache.ts";
import { memory, read, write } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { EmptyResultError, NonFiniteLossError } from "./numericErrors.ts";
import { tinySae } from "./tinyRun.testing.ts";
import { rememberReference, type ReferencePassOptions } from "./referencePass.ts";
import { referenceStates, scoreBatch } from "./scoring.ts";
import { parameter, referenceWeights } from "../models/weights.ts";

vi.mock("../tensor/run.ts", { spy: true });

let model: Model;
let disposeModel: () => void;

beforeEach(async () => {
  await openTestDevice("cpu");
  ({ model, dispose: disposeModel } = createTinyModel());
});

afterEach(() => {
  disposeModel();
});

const withHidden = { hidden: true, features: false };

async function remember(cache: ReferenceCache, pairs: readonly TokenPair[], options: ReferencePassOptions) {
  const progress: [number, number][] = [];
  for await (const { done, total } of rememberReference(model, cache, pairs, options)) {
    progress.push([done, total]);
  }
  return progress;
}

describe("rememberReference", () => {
  it("keeps the head's input of every scored token, and the log-probs it gives", async () => {
    const pairs = tinyPairs(5);
    const cache = createReferenceCache();
    const before = memory().numTensors;
    expect(await remember(cache, pairs, { batchPairs: 2, needs: withHidden })).toEqual([
      [0, 5],
      [2, 5],
      [4, 5],
    ]);
    expect(memory().numTensors).toBe(before);
    for (const pair of pairs) {
      const batch = uploadBatch(pairBatch([pair]), distinctWindows(model.config));
      const { hidden: states } = await referenceStates(model, batch, null);
      const hidden = await read(states);
      const { logps } = await scoreBatch(model, referenceWeights(model), batch);
      const record = cache.get(pair);
      const kept = [...(record?.chosen.hidden ?? []), ...(record?.rejected.hidden ?? [])];
      expect(record?.chosen.hidden).toHaveLength(pair.chosen.length * tinyConfig.hiddenSize);
      expect(kept).toEqual([...hidden]);
      const sums = [logps.subarray(0, pair.chosen.length), logps.subarray(pair.chosen.length)].map((some) =>
        some.reduce((sum, logp) => sum + logp, 0),
      );
      expect([record?.chosen.sumLogps, record?.rejected.sumLogps]).toEqual(sums);
      states.dispose();
      batch.dispose();
    }
  });

  it("computes only what is missing", async () => {
    const pairs = tinyPairs(4);
    const cache = createReferenceCache();
    await remember(cache, pairs.slice(0, 2), { batchPairs: 2, needs: withHidden });
    await remember(cache, pairs, { batchPairs: 2, needs: onlyLogps });
    expect(cache.get(pairs[0]!)?.chosen.hidden).toBeDefined();
    expect(cache.get(pairs[3]!)?.chosen.hidden).toBeUndefined();
    expect(await remember(cache, pairs, { batchPairs: 4, needs: onlyLogps })).toEqual([]);
    expect(await remember(cache, pairs, { batchPairs: 4, needs: withHidden })).toEqual([[0, 2]]);
  });

  it("remembers the features of every answer, the same alone and in any batch", async () => {
    const pairs = tinyPairs(3);
    const sae = tinySae();
    const tap = { saes: [sae], errors: { mode: "paper", topK: 4 } as const, startToken: null };
    const needs = { hidden: false, features: true };
    const together = createReferenceCache();
    await remember(together, pairs, { batchPairs: 3, needs, tap });
    const alone = createReferenceCache();
    await remember(alone, pairs, { batchPairs: 1, needs, tap });
    for (const pair of pairs) {
      const { chosen, rejected } = together.get(pair) ?? {};
      expect(chosen?.features?.width).toBe(sae.width);
      expect(chosen?.features?.values.some((value) => value > 0)).toBe(true);
      expect(chosen?.features).not.toEqual(rejected?.features);
      expect(alone.get(pair)).toEqual({ chosen, rejected });
    }
    sae.dispose();
    await expect(remember(createReferenceCache(), pairs, { batchPairs: 3, needs })).rejects.toThrow(
      "no autoencoder pools them",
    );
  });

  it("remembers nothing of a device that gives no numbers or nothing at all", async () => {
    const pairs = tinyPairs(3);
    const cache = createReferenceCache();
    const options = { batchPairs: 3, needs: onlyLogps };
    const before = memory().numTensors;
    vi.mocked(read).mockImplementationOnce(({ size }) => Promise.resolve(new Float32Array(size)));
    await expect(remember(cache, pairs, options)).rejects.toBeInstanceOf(EmptyResultError);
    const gain = parameter(model, "model.norm.weight");
    write(gain, new Float32Array(gain.size).fill(NaN));
    await expect(remember(cache, pairs, options)).rejects.toBeInstanceOf(NonFiniteLossError);
    expect(cache.records().size).toBe(0);
    expect(memory().numTensors).toBe(before);
  });
});
