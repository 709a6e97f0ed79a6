import { describe, it } from "vitest";
import { parity, randomSource, randomValues } from "../../tensor/testing.ts";
import { embeddingGradOp, embeddingOp } from "./embedding.ts";

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
      await parity(embeddingOp, { name: "embedding", inputs: [ids, weight], attrs: {} });
      await parity(embeddingGradOp, {
        name: "embeddingGrad",
        inputs: [ids, dy],
        attrs: { vocabulary },
        tolerance: 4e-5 * Math.sqrt(rows),
      });
    },
  );
});
