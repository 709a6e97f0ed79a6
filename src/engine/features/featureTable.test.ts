import { describe, expect, it } from "vitest";
import { corpusOf, decoderOf, encodedOf, pairOf } from "./corpus.testing.ts";
import { featureTable } from "./featureTable.ts";

const words = ["", "", "a", "b", "c", "d"];

describe("featureTable", () => {
  it("gives the worked example", () => {
    // Positions: of the first pair the rows of 2 (chosen), 3 (chosen), 2 (rejected); of the second the row of 4 twice, as
    // the start of text before it is none. Rows that predict nothing, of the last tokens, count for nothing.
    const pairs = [pairOf([2], [3, 4], [5]), pairOf([1, 4], [2], [3])];
    const rows = [
      [2, 0, 0],
      [0, 3, 0],
      [9, 9, 9],
      [9, 9, 9],
      [9, 9, 9],
      [4, 1, 0],
      [9, 9, 9],
      [9, 9, 9],
    ];
    const before = encodedOf(rows, { l0: 1.4, unexplained: 0.2 });
    const table = featureTable(corpusOf(pairs, before), decoderOf(words));
    expect(table).toMatchObject({ positions: 5, l0: 1.4, unexplained: 0.2, names: ["c, a", "b", ""] });
    const near = (actual: Float32Array, expected: number[]) =>
      expected.forEach((value, feature) => expect(actual[feature]).toBeCloseTo(value, 6));
    // Feature 0: 2, 0, 2, 4, 4. Feature 1: 0, 3, 0, 1, 1.
    near(table.density, [4 / 5, 3 / 5, 0]);
    near(table.mean, [12 / 5, 5 / 5, 0]);
    near(table.max, [4, 3, 0]);
    // Pooled: chosen (2 + 0) / 2 and 4, rejected 2 and 4; chosen (0 + 3) / 2 and 1, rejected 0 and 1.
    near(table.chosenMean, [2.5, 1.25, 0]);
    near(table.rejectedMean, [3, 0.5, 0]);
  });

  it("refuses pairs without positions", () => {
    expect(() => featureTable(corpusOf([], encodedOf([[1]])), decoderOf(words))).toThrow("no position");
  });
});
