import { describe, expect, it } from "vitest";
import { endBatch, inRuns, pairTexts } from "./endBatch.ts";

const ids = (...tokens: number[]) => Int32Array.from(tokens);

describe("a batch whose last rows are read", () => {
  it("lays a prompt once before its two answers, and reads where they end", () => {
    const batch = endBatch([
      { prompt: ids(1, 2), answers: [ids(3), ids(4, 5)] },
      { prompt: ids(6), answers: [ids(7, 8)] },
    ]);
    expect([...batch.tokenIds]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(batch.segments).toEqual([
      { prompt: 2, branches: [1, 2] },
      { prompt: 1, branches: [2] },
    ]);
    expect([...batch.scoredRows]).toEqual([2, 4, 7]);
    expect([...batch.scoredInverse]).toEqual([-1, -1, -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, -1, -1, 2, -1]);
    expect([...batch.labels]).toEqual([-1, -1, -1]);
    expect(batch.sequences).toBe(3);
  });

  it("reads an answer of no tokens at the end of its prompt, twice if need be", () => {
    const batch = endBatch([{ prompt: ids(1, 2), answers: [ids(), ids()] }]);
    expect([...batch.scoredRows]).toEqual([1, 1]);
    expect([...batch.scoredInverse]).toEqual([-1, -1, 0, 1]);
  });

  it("refuses a text of no tokens, and three answers to a prompt", () => {
    expect(() => endBatch([{ prompt: ids(), answers: [ids()] }])).toThrow("Text 0 has no tokens.");
    expect(() => endBatch([{ prompt: ids(1), answers: [ids(1), ids(2), ids(3)] }])).toThrow(
      "Prompt 0 has 3 answers",
    );
  });
});

describe("texts in runs", () => {
  const pair = { prompt: ids(1, 2), chosen: ids(3), rejected: ids(4, 5), row: 0 };

  it("keep the sides of a pair together, whether they share a prompt or not", () => {
    expect(pairTexts(pair)).toEqual([{ prompt: ids(1, 2), answers: [ids(3), ids(4, 5)] }]);
    expect(pairTexts({ ...pair, rejectedPrompt: ids(9) })).toEqual([
      { prompt: ids(1, 2), answers: [ids(3)] },
      { prompt: ids(9), answers: [ids(4, 5)] },
    ]);
  });

  it("are filled up to the limit, and what is larger stands alone", () => {
    const five = pairTexts(pair);
    const six = pairTexts({ ...pair, rejectedPrompt: ids(9) });
    const sizes = (most: number) => inRuns([five, five, six, five], most).map((run) => run.length);
    expect(sizes(10)).toEqual([2, 2, 1]);
    expect(sizes(11)).toEqual([2, 3]);
    expect(sizes(3)).toEqual([1, 1, 2, 1]);
    expect(inRuns([], 3)).toEqual([]);
  });
});
