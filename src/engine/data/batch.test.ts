import { describe, expect, it } from "vitest";
import { batchOrder, flatBatch, pairBatch } from "./batch.ts";

const ids = (...tokens: number[]) => Int32Array.from(tokens);

describe("flatBatch", () => {
  it("lays sequences into rows and scores from the row before", () => {
    const batch = flatBatch([
      { tokens: ids(1, 10, 11), scoredFrom: 2 },
      { tokens: ids(1, 20, 21, 22), scoredFrom: 1 },
    ]);
    expect(batch).toEqual({
      tokenIds: ids(1, 10, 11, 1, 20, 21, 22),
      segments: [
        { prompt: 2, branches: [1] },
        { prompt: 1, branches: [3] },
      ],
      scoredRows: ids(1, 3, 4, 5),
      scoredInverse: ids(-1, -1, 0, -1, -1, -1, 1, -1, 2, -1, 3, -1, -1, -1),
      labels: ids(11, 20, 21, 22),
      entrySequence: ids(0, 1, 1, 1),
      sequences: 2,
    });
  });

  it.each([0, 2, 1.5])("refuses scoredFrom %d for two tokens", (scoredFrom) => {
    expect(() => flatBatch([{ tokens: ids(1, 2), scoredFrom }])).toThrow(RangeError);
  });
});

describe("pairBatch", () => {
  const pairs = [
    { prompt: ids(1, 5), chosen: ids(6), rejected: ids(7, 2), row: 0 },
    { prompt: ids(1), chosen: ids(8, 2), rejected: ids(9), row: 1 },
  ];

  it("puts both answers behind one copy of their prompt and scores the first token of each from its last row", () => {
    const batch = pairBatch(pairs);
    expect(batch.sequences).toBe(4);
    expect(batch.tokenIds).toEqual(ids(1, 5, 6, 7, 2, 1, 8, 2, 9));
    expect(batch.segments).toEqual([
      { prompt: 2, branches: [1, 2] },
      { prompt: 1, branches: [2, 1] },
    ]);
    expect(batch.scoredRows).toEqual(ids(1, 5, 6, 1, 3, 5));
    expect([...batch.scoredInverse.subarray(2, 4)]).toEqual([0, 3]);
  });

  it("puts all chosen sides before all rejected sides when prompts are not shared", () => {
    const batch = pairBatch(pairs, { sharesPrompts: false });
    expect(batch.tokenIds).toEqual(ids(1, 5, 6, 1, 8, 2, 1, 5, 7, 2, 1, 9));
    expect(batch.scoredRows).toEqual(ids(1, 3, 4, 7, 8, 10));
  });

  it.each([true, false])(
    "orders entries chosen first, then rejected (shared prompts: %s)",
    (sharesPrompts) => {
      const batch = pairBatch(pairs, { sharesPrompts });
      expect(batch.labels).toEqual(ids(6, 8, 2, 7, 2, 9));
      expect(batch.entrySequence).toEqual(ids(0, 1, 1, 2, 2, 3));
    },
  );

  it.each([true, false])(
    "puts answers to two prompts behind their own (shared prompts: %s)",
    (sharesPrompts) => {
      const pair = { prompt: ids(1, 5), chosen: ids(6), rejected: ids(7, 2), rejectedPrompt: ids(3), row: 0 };
      const batch = pairBatch([pair], { sharesPrompts });
      expect(batch).toMatchObject({
        tokenIds: ids(1, 5, 6, 3, 7, 2),
        segments: [
          { prompt: 2, branches: [1] },
          { prompt: 1, branches: [2] },
        ],
        scoredRows: ids(1, 3, 4),
        labels: ids(6, 7, 2),
        entrySequence: ids(0, 1, 1),
        sequences: 2,
      });
    },
  );

  it.each([true, false])(
    "has no rows for an answer that is not there (shared prompts: %s)",
    (sharesPrompts) => {
      const single = { prompt: ids(1, 5), chosen: ids(6, 2), rejected: ids(), row: 0 };
      const batch = pairBatch([single, ...pairs.slice(1)], { sharesPrompts });
      expect(batch.sequences).toBe(4);
      expect(batch.entrySequence).toEqual(ids(0, 0, 1, 1, 3));
      expect(batch.labels).toEqual(ids(6, 2, 8, 2, 9));
      expect(batch.tokenIds).toEqual(
        sharesPrompts ? ids(1, 5, 6, 2, 1, 8, 2, 9) : ids(1, 5, 6, 2, 1, 8, 2, 1, 9),
      );
    },
  );

  it("refuses a pair without a prompt", () => {
    expect(() => pairBatch([{ prompt: ids(), chosen: ids(6), rejected: ids(7), row: 0 }])).toThrow(
      RangeError,
    );
  });
});

describe("batchOrder", () => {
  it("takes pairs in order and wraps round", () => {
    const indices = batchOrder({ count: 5, batchPairs: 3, seed: 1, shuffle: false });
    expect([indices(0), indices(1), indices(2)]).toEqual([
      [0, 1, 2],
      [3, 4, 0],
      [1, 2, 3],
    ]);
  });

  it("sees every pair once an epoch, in an order of the seed and the epoch", () => {
    const options = { count: 12, batchPairs: 4, seed: 9, shuffle: true };
    const indices = batchOrder(options);
    const epoch = (first: number) => [indices(first), indices(first + 1), indices(first + 2)].flat();
    const whole = Array.from({ length: 12 }, (_, i) => i);
    const [first, second] = [epoch(0), epoch(3)];
    expect(first.toSorted((a, b) => a - b)).toEqual(whole);
    expect(second.toSorted((a, b) => a - b)).toEqual(whole);
    expect(first).not.toEqual(second);
    expect(batchOrder({ ...options, seed: 10 })(0)).not.toEqual(indices(0));
  });

  it("gives a resumed run the batch it would have met", () => {
    const options = { count: 7, batchPairs: 4, seed: 2, shuffle: true };
    const indices = batchOrder(options);
    const walked = [0, 1, 2, 3, 4].map((step) => indices(step));
    expect(batchOrder(options)(4)).toEqual(walked[4]);
  });

  it("refuses an empty set", () => {
    expect(() => batchOrder({ count: 0, batchPairs: 4, seed: 2, shuffle: true })).toThrow(RangeError);
  });
});
