import { describe, expect, it } from "vitest";
import { changeReport } from "./changeReport.ts";
import { corpusOf, encodedOf, pairOf } from "./corpus.testing.ts";

/** Eight pairs with a prompt of one token and answers of two and one; positions are rows 0 and 1, and row 0 again. */
const pairs = Array.from({ length: 8 }, () => pairOf([5], [6, 7], [8]));
/** Activations of four features at the rows of a pair: prompt, both tokens of the chosen answer, the rejected one. */
const rows = (prompt: number[], first: number[]) =>
  pairs.flatMap(() => [prompt, first, [9, 9, 9, 9], [9, 9, 9, 9]]);

const before = encodedOf(rows([2, 0, 1, 0], [4, 0, 0, 0]), { l0: 2, unexplained: 0.25 });
const after = encodedOf(rows([3, 0, 1, 2], [4, 0, 0, 0]), { l0: 2.5, unexplained: 0.5 });
const names = ["one", "two", "three", "four"];

describe("changeReport", () => {
  const report = changeReport(corpusOf(pairs, before, after), { names, seed: 1 });

  it("has the means and changes of pooled activations, the largest change first", () => {
    // Feature 0: chosen (2 + 4) / 2 and rejected 2 before, (3 + 4) / 2 and 3 after. Feature 3: nothing, then 1 and 2.
    expect(report.changes.map(({ pValue: _p, isFinding: _f, ...each }) => each)).toEqual([
      { feature: 3, name: "four", before: 0, after: 1.5, chosenChange: 1, rejectedChange: 2 },
      { feature: 0, name: "one", before: 2.5, after: 3.25, chosenChange: 0.5, rejectedChange: 1 },
      { feature: 2, name: "three", before: 0.75, after: 0.75, chosenChange: 0, rejectedChange: 0 },
    ]);
    expect(report).toMatchObject({
      answers: 16,
      silent: 1,
      l0: { before: 2, after: 2.5 },
      unexplained: { before: 0.25, after: 0.5 },
    });
  });

  it("flips the answers of a pair together", () => {
    // All eight pairs changed alike: of 256 patterns two reach the sum. Sixteen answers would give 2 / 65536.
    expect(report.changes.map(({ pValue, isFinding }) => [pValue, isFinding])).toEqual([
      [2 / 256, true],
      [2 / 256, true],
      [1, false],
    ]);
    expect([report.permutations, report.tested]).toEqual([256, 2]);
  });

  it("tests no feature that changed in fewer than six pairs", () => {
    const rare = encodedOf(
      rows([2, 0, 1, 0], [4, 0, 0, 0]).map((row, place) =>
        place % 4 === 0 && place < 20 ? [2, 0, 50, 0] : row,
      ),
    );
    const { changes, tested, unexplained } = changeReport(corpusOf(pairs, before, rare), { names, seed: 1 });
    expect(changes[0]).toMatchObject({ feature: 2, pValue: 2 / 32, isFinding: false });
    expect([tested, unexplained]).toEqual([0, null]);
  });

  it("leaves rows of the start of a text out of the sums, but not out of the mean", () => {
    const starting = Array.from({ length: 8 }, () => pairOf([1], [6, 7], [8]));
    const { changes } = changeReport(corpusOf(starting, before, after), { names, seed: 1 });
    expect(changes.map(({ feature, before: mean }) => [feature, mean])).toEqual([[0, 1]]);
  });

  it("refuses before a run", () => {
    expect(() => changeReport(corpusOf(pairs, before), { names, seed: 1 })).toThrow(
      "no run has tuned the model yet",
    );
  });
});
