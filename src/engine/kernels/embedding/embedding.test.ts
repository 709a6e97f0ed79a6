import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { embeddingGradOp, embeddingOp } from "./embedding.ts";

describe("embedding", () => {
  it("gathers rows and gives 0 for ids outside the table", () => {
    const gathered = new Float64Array(8);
    const weight = Float64Array.of(1, 2, 3, 4);
    embeddingOp.cpu([Int32Array.of(1, 0, -1, 2), weight], [gathered], [[4], [2, 2]], {});
    expect([...gathered]).toEqual([3, 4, 1, 2, 0, 0, 0, 0]);
  });

  it("adds up the gradient of rows that occur several times", () => {
    const dweight = new Float64Array(6);
    const inputs = [Int32Array.of(2, 0, 2, -1), Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8)];
    embeddingGradOp.cpu(inputs, [dweight], [[4], [4, 2]], { vocabulary: 3 });
    expect([...dweight]).toEqual([3, 4, 0, 0, 6, 8]);
  });

  it("has the gradient of the table", async () => {
    await checkGradient(embeddingOp, {
      inputs: [
        { values: Int32Array.of(3, 1, 3, 0, 3), shape: [5] },
        { values: randomValues(1, [4, 3]), shape: [4, 3] },
      ],
      attrs: {},
      wrt: ["weight"],
    });
  });

  it("refuses ids and gradients of different lengths", () => {
    expect(() => embeddingGradOp.outputShapes([[3], [4, 2]], { vocabulary: 5 })).toThrow(/3 ids for 4 rows/);
  });
});
