import { beforeEach, describe, expect, it } from "vitest";
import { flatBatch, pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { featurePool } from "../kernels/featurePool/featurePool.ts";
import type { Model } from "../models/decoder.ts";
import { tapedPass } from "../models/tapedPass.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import { poolTables } from "../sae/poolTables.ts";
import { reconstruct } from "../sae/reconstruct.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { dispose, memory, read, tensor } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { createPolicy } from "../training/policy.ts";
import { randomAdapter, tinyRun, tinySae } from "../training/tinyRun.testing.ts";
import { changeReport } from "./changeReport.ts";
import { encodePairs } from "./encodePairs.ts";
import type { Reader } from "./encodeRows.ts";
import { eachPosition, firstRows, pairsWithin, rowCount, rowOf, textOf } from "./pairRows.ts";
import { promptFeatures } from "./promptFeatures.ts";
import { activationAt, activeCount, eachActive } from "./sparseRows.ts";

const startToken = 9;
let model: Model;
let weights: Weights;
let sae: SparseAutoencoder;
let reader: Reader;

/** Pairs some of whose prompts begin with the start of a text, and one prompt that is nothing else. */
const pairs: TokenPair[] = tinyPairs(5).map((pair, index) => ({
  ...pair,
  prompt: index === 4 ? Int32Array.of(startToken) : Int32Array.of(index < 2 ? startToken : 3, ...pair.prompt),
}));

beforeEach(async () => {
  await openTestDevice("cpu");
  ({ model } = createTinyModel());
  ({ weights } = createPolicy(model, tinyRun(model).config, randomAdapter(model, 4)));
  sae = tinySae();
  reader = { model, weights, sae, startToken };
});

/** Stream, activations and reconstructions of a text alone, on the tape. */
async function alone(tokens: Int32Array): Promise<Record<"stream" | "codes" | "restored", Float32Array>> {
  const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: 1 }]));
  const pass = tapedPass({ model, weights, rows: batch.rows, keeps: "nothing" });
  pass.embed();
  pass.forward(0);
  const stream = pass.stream();
  const { activations, restored } = reconstruct(sae, stream);
  const [a, b, c] = await Promise.all([stream, activations, restored].map(read));
  dispose([stream, activations, restored]);
  pass.dispose();
  batch.dispose();
  return { stream: a as Float32Array, codes: b as Float32Array, restored: c as Float32Array };
}

describe("encodePairs", () => {
  it("has the activations of every token of every text, but of the start of one", async () => {
    const before = memory().numTensors;
    const { rows } = await encodePairs(reader, pairs);
    expect(memory().numTensors).toBe(before);
    const starts = firstRows(pairs);
    for (const [number, pair] of pairs.entries()) {
      for (const side of ["chosen", "rejected"] as const) {
        const text = textOf(pair, side);
        const { codes } = await alone(text);
        text.forEach((token, place) => {
          const row = rowOf(pair, side, { first: starts[number]!, place });
          for (let feature = 0; feature < sae.width; feature++)
            expect(activationAt(rows, row, feature)).toBeCloseTo(
              token === startToken ? 0 : codes[place * sae.width + feature]!,
              4,
            );
        });
      }
    }
    expect(rows.starts).toHaveLength(1 + pairs.reduce((sum, pair) => sum + rowCount(pair), 0));
  });

  it("pools to what training pools", async () => {
    const { rows } = await encodePairs(reader, pairs);
    const pooled = new Float64Array(2 * pairs.length * sae.width);
    eachPosition(pairs, startToken, ({ pair, side, row, share }) => {
      const answer = side === "chosen" ? pair : pairs.length + pair;
      eachActive(rows, row, (feature, value) => (pooled[answer * sae.width + feature]! += share * value));
    });
    const flat = pairBatch(pairs);
    const batch = uploadBatch(flat);
    const pass = tapedPass({ model, weights, rows: batch.rows, keeps: "nothing" });
    pass.embed();
    pass.forward(0);
    const hidden = pass.stream();
    const tables = poolTables(flat, startToken);
    const scoredRows = tensor(tables.scoredRows, [tables.scoredRows.length]);
    const entryRanges = tensor(tables.entryRanges, [flat.sequences, 2]);
    const expected = await read(featurePool({ hidden, scoredRows, entryRanges, ...sae }).pooled);
    expect(pooled.some((value) => value > 0)).toBe(true);
    expected.forEach((value, place) => expect(pooled[place]).toBeCloseTo(value, 4));
    batch.dispose();
  });

  it("measures active features and unexplained variance at the positions alone", async () => {
    const { rows, l0, unexplained } = await encodePairs(reader, pairs);
    const counts: number[] = [];
    const seen = new Map<string, { stream: number[]; restored: number[] }>();
    const texts = await Promise.all(
      pairs.flatMap((pair) =>
        (["chosen", "rejected"] as const).map(async (side) => alone(textOf(pair, side))),
      ),
    );
    eachPosition(pairs, startToken, ({ pair, side, index, row }) => {
      counts.push(activeCount(rows, row));
      const place = pairs[pair]!.prompt.length + index - 1;
      const { stream, restored } = texts[2 * pair + (side === "chosen" ? 0 : 1)]!;
      const part = (values: Float32Array) => [...values.subarray(16 * place, 16 * (place + 1))];
      // The prompt's last row is one row, though both answers have a position there.
      seen.set(`${row}`, { stream: part(stream), restored: part(restored) });
    });
    expect(l0).toBeCloseTo(counts.reduce((sum, count) => sum + count, 0) / counts.length, 12);
    const all = [...seen.values()];
    const mean = all[0]!.stream.map((_, i) => all.reduce((sum, row) => sum + row.stream[i]!, 0) / all.length);
    let [errors, deviations] = [0, 0];
    for (const { stream, restored } of all)
      stream.forEach((value, i) => {
        errors += (value - restored[i]!) ** 2;
        deviations += (value - mean[i]!) ** 2;
      });
    expect(unexplained).toBeCloseTo(errors / deviations, 4);
    const encoderAlone = { ...reader, sae: { ...sae, decoder: null } };
    const without = await encodePairs(encoderAlone, pairs);
    expect(without).toEqual({ rows, l0, unexplained: null });
  });

  it("runs no layer above the autoencoder's", async () => {
    const { base } = weights;
    const lower = new Map([...base].filter(([name]) => !/layers\.1\.|lm_head/.test(name)));
    const untouched = { ...referenceWeights(model), stacks: new Map() };
    const whole = await encodePairs({ ...reader, weights: untouched }, pairs);
    expect(await encodePairs({ ...reader, weights: { ...untouched, base: lower } }, pairs)).toEqual(whole);
    const upper = { ...reader, sae: { ...sae, layer: 1 }, weights: { ...untouched, base: lower } };
    const before = memory().numTensors;
    await expect(encodePairs(upper, pairs)).rejects.toThrow("layers.1");
    expect(memory().numTensors).toBe(before);
  });

  it("is not changed by what is read together", async () => {
    const many = tinyPairs(90);
    const together = await encodePairs(reader, many);
    expect(many.reduce((sum, pair) => sum + rowCount(pair), 0)).toBeGreaterThan(1024);
    const last = await encodePairs(reader, many.slice(-1));
    const first = together.rows.starts.length - last.rows.starts.length;
    for (let row = 0; row + 1 < last.rows.starts.length; row++)
      eachActive(last.rows, row, (feature, value) =>
        expect(activationAt(together.rows, first + row, feature)).toBeCloseTo(value, 5),
      );
  });
});

describe("a report of what a run changed", () => {
  it("finds nothing in a policy that is still the reference, and something in one that is not", async () => {
    const many = tinyPairs(12);
    const untouched = createPolicy(model, tinyRun(model).config);
    const reference = await encodePairs({ ...reader, weights: referenceWeights(model) }, many);
    const report = async (own: Weights) => {
      const after = await encodePairs({ ...reader, weights: own }, many);
      return changeReport({ pairs: many, startToken, before: reference, after }, { names: [], seed: 1 });
    };
    const still = await report(untouched.weights);
    expect(still.tested).toBe(0);
    expect(still.changes.map(({ before, after, pValue }) => [after - before, pValue])).toEqual(
      still.changes.map(() => [0, 1]),
    );
    expect(still.l0.after).toBe(still.l0.before);
    const changed = await report(weights);
    expect(changed.tested).toBeGreaterThan(5);
    expect(changed.changes.some(({ isFinding }) => isFinding)).toBe(true);
    untouched.dispose();
  });
});

describe("pairsWithin", () => {
  it("takes as many as fit, and one at least", () => {
    const counts = pairs.map(rowCount);
    expect(pairsWithin(pairs, counts[0]! + counts[1]!)).toEqual(pairs.slice(0, 2));
    expect(pairsWithin(pairs, counts[0]! + counts[1]! - 1)).toEqual(pairs.slice(0, 1));
    expect(pairsWithin(pairs, 1)).toEqual(pairs.slice(0, 1));
    expect(pairsWithin(pairs, 1000)).toEqual(pairs);
  });
});

describe("promptFeatures", () => {
  const ids = Int32Array.of(startToken, 4, 30, 22, 4, 7);
  const labels = {
    tokens: Array.from("<abcde"),
    names: Array.from({ length: 24 }, (_, feature) => `feature ${feature}`),
  };

  it("lists the active features by their strongest activation, with every token's", async () => {
    const before = memory().numTensors;
    const found = await promptFeatures(reader, ids, labels);
    expect(memory().numTensors).toBe(before);
    const { codes } = await alone(ids);
    const strongest = Array.from({ length: sae.width }, (_, feature) =>
      Math.max(...[1, 2, 3, 4, 5].map((row) => codes[row * sae.width + feature]!)),
    );
    const expected = [...strongest.keys()]
      .filter((feature) => strongest[feature]! > 0)
      .sort((a, b) => strongest[b]! - strongest[a]!);
    expect([...found.features]).toEqual(expected);
    expect(found.names[0]).toBe(`feature ${expected[0]}`);
    expect(found.isStart).toEqual([true, false, false, false, false, false]);
    expected.forEach((feature, place) =>
      ids.forEach((_, row) =>
        expect(found.activations[row * expected.length + place]).toBeCloseTo(
          row === 0 ? 0 : codes[row * sae.width + feature]!,
          4,
        ),
      ),
    );
    expect([...found.l0]).toEqual(
      Array.from(ids, (_, row) =>
        row === 0 ? 0 : expected.filter((feature) => codes[row * sae.width + feature]! > 0).length,
      ),
    );
  });

  it("has the unexplained share of every row, in plain loops", async () => {
    const { unexplained } = await promptFeatures(reader, ids, labels);
    const { stream, restored } = await alone(ids);
    const mean = Array.from({ length: 16 }, (_, i) =>
      [1, 2, 3, 4, 5].reduce((sum, row) => sum + stream[16 * row + i]! / 5, 0),
    );
    expect(unexplained![0]).toBeNaN();
    for (const row of [1, 2, 3, 4, 5]) {
      let [error, distance] = [0, 0];
      mean.forEach((value, i) => {
        error += (stream[16 * row + i]! - restored[16 * row + i]!) ** 2;
        distance += (stream[16 * row + i]! - value) ** 2;
      });
      expect(unexplained![row]! / (error / distance)).toBeCloseTo(1, 4);
    }
    const encoderAlone = { ...reader, sae: { ...sae, decoder: null } };
    expect((await promptFeatures(encoderAlone, ids, labels)).unexplained).toBeNull();
    const one = await promptFeatures(reader, Int32Array.of(startToken, 4), labels);
    expect([...one.unexplained!]).toEqual([NaN, NaN]);
  });

  it("refuses a text without tokens, and one that is too long", async () => {
    await expect(promptFeatures(reader, new Int32Array(), labels)).rejects.toThrow("no tokens");
    await expect(promptFeatures(reader, new Int32Array(65), labels)).rejects.toThrow(
      "The text has 65 tokens, and the model reads 64",
    );
  });
});

describe("a stream in parts", () => {
  it("is encoded as a whole", async () => {
    const tokens = Int32Array.from({ length: 60 }, (_, i) => 3 + (i % 30));
    const many = Array.from({ length: 12 }, (_, row) => ({
      prompt: tokens.slice(0, 20),
      chosen: tokens.slice(20, 60),
      rejected: tokens.slice(5, 9),
      row,
    }));
    // 768 rows in one batch: more than are encoded at once.
    const { rows } = await encodePairs(reader, many);
    const { codes } = await alone(textOf(many[11]!, "chosen"));
    const first = firstRows(many)[11]!;
    for (const place of [0, 30, 59])
      for (let feature = 0; feature < sae.width; feature++)
        expect(activationAt(rows, first + place, feature)).toBeCloseTo(
          codes[place * sae.width + feature]!,
          4,
        );
  });
});
