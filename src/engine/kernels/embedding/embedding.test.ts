import { describe, expect, it } from "vitest";
import { dispose, read, tensor, tidy } from "../../tensor/run.ts";
import { checkGradient, openTestDevice, randomValues } from "../../tensor/testing.ts";
import { packShards, packWeight, tensorsOfWeight } from "../weightLayout/packedWeight.ts";
import { bytesPerRow, packRows, unpackRow, weightLayouts } from "../weightLayout/weightLayout.ts";
import { embedding, embeddingGradOp, embeddingOp, packedEmbeddingOp, shardEmbeddingOp } from "./embedding.ts";

describe("embedding", () => {
  it("gathers rows and gives 0 for ids outside the table", () => {
    const gathered = new Float64Array(8);
    const weight = Float64Array.of(1, 2, 3, 4);
    embeddingOp.cpu([Int32Array.of(1, 0, -1, 2), weight], [gathered], [[4], [2, 2]], { scale: 1 });
    expect([...gathered]).toEqual([3, 4, 1, 2, 0, 0, 0, 0]);
  });

  it("adds up the gradient of rows that occur several times", () => {
    const dweight = new Float64Array(6);
    const inputs = [Int32Array.of(2, 0, 2, -1), Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8)];
    embeddingGradOp.cpu(inputs, [dweight], [[4], [4, 2]], { vocabulary: 3, scale: 1 });
    expect([...dweight]).toEqual([3, 4, 0, 0, 6, 8]);
  });

  it("has the gradient of the table", async () => {
    await checkGradient(embeddingOp, {
      inputs: [
        { values: Int32Array.of(3, 1, 3, 0, 3), shape: [5] },
        { values: randomValues(1, [4, 3]), shape: [4, 3] },
      ],
      attrs: { scale: 1.5 },
      wrt: ["weight"],
    });
  });

  it("refuses ids and gradients of different lengths", () => {
    expect(() => embeddingGradOp.outputShapes([[3], [4, 2]], { vocabulary: 5, scale: 1 })).toThrow(
      /3 ids for 4 rows/,
    );
  });

  it.each(weightLayouts)("gathers scaled rows from a table in %s", async (layout) => {
    await openTestDevice("cpu");
    const values = randomValues(1, [4, 37]);
    const words = packRows(values, [4, 37], layout);
    const gathered = tidy(() =>
      embedding(tensor(Int32Array.of(2, -1, 4, 0), [4]), packWeight(values, [4, 37], layout), 3),
    );
    const [first, last] = [unpackRow(words, 2, 37, layout), unpackRow(words, 0, 37, layout)];
    const zeros = Array<number>(74).fill(0);
    expect([...(await read(gathered))]).toEqual([
      ...first.map((value) => 3 * value),
      ...zeros,
      ...last.map((value) => 3 * value),
    ]);
    gathered.dispose();
  });

  it.each(weightLayouts)("gathers from shards what it gathers from a table, in %s", async (layout) => {
    await openTestDevice("cpu");
    const values = randomValues(1, [11, 37]);
    const largestBytes = 4 * bytesPerRow(layout, 37);
    const shards = packShards(values, [11, 37], { layout, largestBytes });
    expect(shards.shards.map(({ outputs }) => outputs)).toEqual([4, 4, 3]);
    const [whole, parts] = tidy(() => {
      const ids = tensor(Int32Array.of(3, 4, -1, 0, 10, 11, 8, 7, 4), [9]);
      return [embedding(ids, packWeight(values, [11, 37], layout), 3), embedding(ids, shards, 3)] as const;
    });
    expect(await read(parts)).toEqual(await read(whole));
    dispose([whole, parts, ...tensorsOfWeight(shards)]);
  });

  it("refuses to gather from a shard into rows of another number", () => {
    const attrs = { layout: "f32", columns: 4, scale: 1, isNativeHalf: false, first: 5 } as const;
    expect(shardEmbeddingOp.outputShapes([[2], [5, 4], [2, 4]], attrs)).toEqual([]);
    expect(() => shardEmbeddingOp.outputShapes([[2], [5, 4], [3, 4]], attrs)).toThrow("[3, 4], not [2, 4]");
  });

  it("refuses rows of another size than the layout's", () => {
    const attrs = { layout: "q8", columns: 40, scale: 1, isNativeHalf: false } as const;
    expect(packedEmbeddingOp.outputShapes([[2], [4, 17]], attrs)).toEqual([[2, 40]]);
    expect(() => packedEmbeddingOp.outputShapes([[2], [4, 10]], attrs)).toThrow(/10 words.*17 are needed/);
  });
});
