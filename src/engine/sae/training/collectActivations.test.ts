import { beforeAll, describe, expect, it } from "vitest";
import { flatBatch } from "../../data/batch.ts";
import { decoderLayer, embedTokens } from "../../models/decoder.ts";
import { referenceWeights } from "../../models/weights.ts";
import { memory, read, tidy } from "../../tensor/run.ts";
import { openTestDevice } from "../../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../../testing/tinyModel.ts";
import { uploadBatch } from "../../training/deviceBatch.ts";
import {
  collectActivations,
  countRows,
  pairTexts,
  type CollectOptions,
  type StreamRows,
} from "./collectActivations.ts";

const START = 1;

async function collect(options: CollectOptions): Promise<{ rows: StreamRows; progress: number[] }> {
  const work = collectActivations(options);
  const progress: number[] = [];
  for (;;) {
    const { done, value } = await work.next();
    if (done === true) return { rows: value, progress };
    expect(value.total).toBe(options.texts.length);
    progress.push(value.done);
  }
}

describe("collectActivations", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it.each([0, 1])(
    "gives the stream behind block %i of every text alone, without start tokens",
    async (layer) => {
      const before = memory().numTensors;
      const { model, dispose } = createTinyModel();
      const texts = pairTexts(tinyPairs(4)).map((text) => Int32Array.of(START, ...text));
      const { rows, progress } = await collect({ model, layer, texts, startToken: START, batchRows: 20 });
      expect(progress[0]).toBe(0);
      expect(progress.at(-1)).toBe(texts.length);
      expect(progress.length).toBeGreaterThan(3);
      const weights = referenceWeights(model);
      const expected: number[] = [];
      for (const tokens of texts) {
        const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: 1 }]));
        const stream = tidy(() => {
          let x = embedTokens(model, weights, batch.rows);
          for (let block = 0; block <= layer; block++)
            x = decoderLayer(model, weights, block, { x, rows: batch.rows });
          return x;
        });
        expected.push(...(await read(stream)).subarray(model.config.hiddenSize));
        stream.dispose();
        batch.dispose();
      }
      expect(countRows(rows)).toBe(texts.reduce((sum, { length }) => sum + length - 1, 0));
      expect(rows.values).toHaveLength(expected.length);
      const worst = Math.max(...expected.map((value, i) => Math.abs(value - rows.values[i]!)));
      expect(worst).toBeLessThan(1e-4);
      dispose();
      expect(memory().numTensors).toBe(before);
    },
  );

  it("keeps every row where there is no start token, and leaves out texts of one token", async () => {
    const { model, dispose } = createTinyModel();
    const texts = [Int32Array.of(START, 5, 6), Int32Array.of(7, 8)];
    const { rows } = await collect({ model, layer: 0, texts, startToken: null });
    expect(countRows(rows)).toBe(5);
    const work = collectActivations({ model, layer: 0, texts: [Int32Array.of(9)], startToken: null });
    expect(await work.next()).toEqual({ done: false, value: { done: 0, total: 0 } });
    const { value } = await work.next();
    expect(value).toMatchObject({ width: model.config.hiddenSize });
    dispose();
  });
});

describe("pairTexts", () => {
  it("puts either answer behind the prompt", () => {
    const pair = {
      prompt: Int32Array.of(1, 2),
      chosen: Int32Array.of(3),
      rejected: Int32Array.of(4, 5),
      row: 0,
    };
    expect(pairTexts([pair])).toEqual([Int32Array.of(1, 2, 3), Int32Array.of(1, 2, 4, 5)]);
  });
});
