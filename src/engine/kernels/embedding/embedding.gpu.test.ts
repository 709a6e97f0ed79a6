import { describe, it } from "vitest";
import { parity, randomSource, randomValues } from "../../tensor/testing.ts";
import { packRows, weightLayouts, wordsPerRow } from "../weightLayout/weightLayout.ts";
import { embeddingGradOp, embeddingOp, packedEmbeddingOp, shardEmbeddingOp } from "./embedding.ts";

describe("embedding on WebGPU", () => {
  it.each([
    [1, 1, 1],
    [37, 65, 5],
    [640, 96, 768],
    [70_001, 3, 4],
  ])(
    "has the oracle's values and gradient for %i ids of width %i from %i",
    async (rows, columns, vocabulary) => {
      const random = randomSource(1);
      // Some ids lie outside the table on purpose.
      const values = Int32Array.from({ length: rows }, () => Math.floor(random() * (vocabulary + 2)) - 1);
      const ids = { values, shape: [rows] };
      const weight = { values: randomValues(2, [vocabulary, columns]), shape: [vocabulary, columns] };
      const dy = { values: randomValues(3, [rows, columns]), shape: [rows, columns] };
      await parity(embeddingOp, { name: "embedding", inputs: [ids, weight], attrs: { scale: 1.5 } });
      await parity(embeddingGradOp, {
        name: "embeddingGrad",
        inputs: [ids, dy],
        attrs: { vocabulary, scale: 1.5 },
        tolerance: 4e-5 * Math.sqrt(rows),
      });
    },
  );

  // Also what proves the shader's reading of every layout, value by value.
  it.each(weightLayouts)("reads rows packed in %s exactly", async (layout) => {
    for (const [rows, columns, vocabulary] of [
      [5, 1, 3],
      [9, 37, 65],
      [7, 66, 9],
      [70, 96, 33],
      [3, 130, 7],
      [2, 1000, 5],
    ] as const) {
      const random = randomSource(columns);
      const ids = Int32Array.from({ length: rows }, () => Math.floor(random() * (vocabulary + 2)) - 1);
      const packed = packRows(
        randomValues(columns, [vocabulary, columns], 0.05),
        [vocabulary, columns],
        layout,
      );
      const shape = [vocabulary, wordsPerRow(layout, columns)];
      const values = layout === "f32" ? new Float32Array(packed.buffer) : packed;
      await parity(packedEmbeddingOp, {
        name: `${layout} ${rows} of ${vocabulary} x ${columns}`,
        inputs: [
          { values: ids, shape: [rows] },
          { values, shape },
        ],
        attrs: { layout, columns, scale: 2, isNativeHalf: false },
        tolerance: 0,
      });
    }
  });

  it.each(["f32", "f16", "q8"] as const)("writes the rows of a shard in %s alone", async (layout) => {
    for (const [rows, columns, height] of [
      [23, 37, 9],
      [70, 96, 33],
    ] as const) {
      const random = randomSource(columns);
      // The second of three shards, and some ids outside the table.
      const ids = Int32Array.from({ length: rows }, () => Math.floor(random() * (3 * height + 2)) - 1);
      const packed = packRows(randomValues(columns, [height, columns]), [height, columns], layout);
      const values = layout === "f32" ? new Float32Array(packed.buffer) : packed;
      await parity(shardEmbeddingOp, {
        name: `${layout} ${rows} of ${height} x ${columns}`,
        inputs: [
          { values: ids, shape: [rows] },
          { values, shape: [height, wordsPerRow(layout, columns)] },
          { values: randomValues(7, [rows, columns]), shape: [rows, columns] },
        ],
        attrs: { layout, columns, scale: 2, first: height, isNativeHalf: false },
        tolerance: 0,
      });
    }
  });
});
