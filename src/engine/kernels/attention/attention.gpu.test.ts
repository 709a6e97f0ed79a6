import { describe, expect, test } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { attentionOp, attentionOverCacheOp, type AttentionAttributes } from "./attention.ts";
import { attentionAlone, attentionTeam, isTeamWork } from "./attention.wgsl.ts";
import { attentionDeltaOp, attentionDkOp, attentionDqOp, attentionDvOp } from "./attentionBackward.ts";
import { causalRanges } from "./causalRanges.ts";
import { separateHeads } from "./headLayout.ts";

/** Sequences, heads, key-value heads and head width; `alone` and `team` are the two layouts of the kernels. */
const cases = [
  { layout: "team", lengths: [1, 37, 3], heads: 2, keyValueHeads: 2, headDim: 36 },
  { layout: "team", lengths: [65, 7], heads: 2, keyValueHeads: 1, headDim: 64 },
  { layout: "team", lengths: [5, 37], heads: 4, keyValueHeads: 2, headDim: 80 },
  { layout: "team", lengths: [33], heads: 8, keyValueHeads: 1, headDim: 128 },
  { layout: "team", lengths: [17, 3], heads: 2, keyValueHeads: 1, headDim: 256 },
  { layout: "alone", lengths: [1, 3], heads: 2, keyValueHeads: 1, headDim: 16 },
  { layout: "alone", lengths: [1, 37, 65, 3], heads: 8, keyValueHeads: 8, headDim: 8 },
  { layout: "alone", lengths: [300], heads: 2, keyValueHeads: 1, headDim: 16 },
  { layout: "alone", lengths: [65, 64, 1], heads: 16, keyValueHeads: 2, headDim: 16 },
  { layout: "alone", lengths: [37, 3], heads: 16, keyValueHeads: 8, headDim: 64 },
] as const;

function inputsOf(lengths: readonly number[], { heads, keyValueHeads, headDim }: AttentionAttributes) {
  const { keyRanges, queryRanges } = causalRanges(lengths.map((prompt) => ({ prompt, branches: [] })));
  const rows = keyRanges.length / 2;
  const own = [rows, heads * headDim];
  const shared = [rows, keyValueHeads * headDim];
  return {
    q: { values: randomValues(1, own), shape: own },
    k: { values: randomValues(2, shared), shape: shared },
    v: { values: randomValues(3, shared), shape: shared },
    dOutput: { values: randomValues(4, own), shape: own },
    keyRanges: { values: keyRanges, shape: [rows, 2] },
    queryRanges: { values: queryRanges, shape: [rows, 2] },
  };
}

describe.each(cases)(
  "attention ($layout) over $lengths with $heads/$keyValueHeads heads of $headDim",
  ({ layout, lengths, heads, keyValueHeads, headDim }) => {
    const attrs = { heads, keyValueHeads, headDim, scale: headDim ** -0.5 };
    const { q, k, v, dOutput, keyRanges, queryRanges } = inputsOf(lengths, attrs);
    const rows = keyRanges.shape[0]!;
    const o = { values: new Float32Array(q.values.length), shape: q.shape };
    const logSumExp = { values: new Float32Array(rows * heads), shape: [rows, heads] };
    const delta = { values: new Float32Array(rows * heads), shape: [rows, heads] };
    attentionOp.cpu(
      [q.values, k.values, v.values, keyRanges.values],
      [o.values, logSumExp.values],
      [q.shape],
      attrs,
    );
    attentionDeltaOp.cpu([dOutput.values, o.values], [delta.values], [], attrs);

    test("forward", async () => {
      expect(isTeamWork(attrs, { items: rows * heads })).toBe(layout === "team");
      await parity(attentionOp, { name: "forward", inputs: [q, k, v, keyRanges, queryRanges], attrs });
    });
    test("delta", async () => {
      await parity(attentionDeltaOp, { name: "delta", inputs: [dOutput, o], attrs });
    });
    test("dq", async () => {
      await parity(attentionDqOp, { name: "dq", inputs: [q, k, v, dOutput, o, logSumExp, keyRanges], attrs });
    });
    test("dk", async () => {
      const inputs = [q, k, v, dOutput, logSumExp, delta, queryRanges];
      await parity(attentionDkOp, { name: "dk", inputs, attrs });
    });
    test("dv", async () => {
      await parity(attentionDvOp, { name: "dv", inputs: [q, k, dOutput, logSumExp, queryRanges], attrs });
    });
  },
);

describe("attention over a cache", () => {
  test.each([
    { live: 3, heads: 4, headDim: 16, filled: [1, 130, 77] },
    { live: 4, heads: 2, headDim: 64, filled: [131, 64, 1] },
    { live: 2, heads: 8, headDim: 128, filled: [5, 64] },
    { live: 70, heads: 4, headDim: 8, filled: [200, 3] },
  ])("$live rows, $heads heads of $headDim", async ({ live, heads, headDim, filled }) => {
    const capacity = 200;
    const attrs = { heads, keyValueHeads: heads / 2, headDim, scale: 0.3 };
    const ranges = Int32Array.from({ length: live * 2 }, (_, i) => {
      const sequence = Math.floor(i / 2) % filled.length;
      return sequence * capacity + (i % 2) * filled[sequence]!;
    });
    const own = [live, heads * headDim];
    const shared = [filled.length * capacity, (heads / 2) * headDim];
    const inputs = [
      { values: randomValues(5, own), shape: own },
      { values: randomValues(6, shared), shape: shared },
      { values: randomValues(7, shared), shape: shared },
      { values: ranges, shape: [live, 2] },
    ];
    await parity(attentionOverCacheOp, { name: "cache", inputs, attrs });
  });

  test.each([8, 80])("rows without keys give zeros for heads of %d", async (headDim) => {
    const attrs = { heads: 1, keyValueHeads: 1, headDim, scale: 0.3 };
    const rows = 300;
    const shape = [rows, headDim];
    const values = randomValues(8, shape);
    const ranges = Int32Array.from({ length: rows * 2 }, (_, i) => (i % 4 === 3 ? 2 : i % 2));
    ranges.fill(0, 4, 8);
    const inputs = [
      ...[values, values, values].map((each) => ({ values: each, shape })),
      { values: ranges, shape: [rows, 2] },
    ];
    await parity(attentionOverCacheOp, { name: "empty", inputs, attrs });
  });

  test.each([4, 68])("more workgroups or rows than one axis holds, heads of %d", async (headDim) => {
    const rows = 70_000;
    const attrs = { heads: 1, keyValueHeads: 1, headDim, scale: 0.3 };
    // Few rows have keys, so that the emulated GPU is done soon; they lie on both sides of the fold.
    const ranges = new Int32Array(rows * 2);
    for (let row = 0; row < rows; row += 307) ranges.set([row % 5, (row % 5) + 2], row * 2);
    const inputs = [
      { values: randomValues(9, [rows, headDim]), shape: [rows, headDim] },
      { values: randomValues(10, [7, headDim]), shape: [7, headDim] },
      { values: randomValues(11, [7, headDim]), shape: [7, headDim] },
      { values: ranges, shape: [rows, 2] },
    ];
    await parity(attentionOverCacheOp, { name: "fold", inputs, attrs });
  });
});

test("both layouts mention every binding", () => {
  const attributes = { heads: 2, keyValueHeads: 1, headDim: 8, scale: 1 };
  const layout = separateHeads(attributes);
  for (const text of [attentionAlone, attentionTeam]) {
    expect(text({ attributes, layout, ranges: 1, unread: ["queryRanges"] })).toContain("_ = &queryRanges;");
  }
});
