import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import type { PackedHeads } from "./packedHeads.ts";
import { qkNormRopeGradientOp, qkNormRopeOp } from "./qkNormRope.ts";
import { ropePackedOp } from "./ropePacked.ts";
import { ropeTable } from "./ropeTable.ts";

const maxPositions = 300;

function inputsOf(rows: number, { heads, keyValueHeads, headDim, rotary }: PackedHeads) {
  const shape = [rows, (heads + 2 * keyValueHeads) * headDim];
  const gain = (seed: number) => ({ values: randomValues(seed, [headDim]), shape: [headDim] });
  return {
    raw: { values: randomValues(1, shape), shape },
    gradient: { values: randomValues(2, shape), shape },
    gains: [gain(3), gain(4)],
    turns: [
      {
        values: ropeTable({ headDim: rotary, maxPositions, theta: 10_000 }),
        shape: [maxPositions, rotary / 2, 2],
      },
      { values: Int32Array.from({ length: rows }, (_, row) => (row * 7) % maxPositions), shape: [rows] },
    ],
  };
}

const cases = [
  { rows: 1, heads: 1, keyValueHeads: 1, headDim: 2, rotary: 2 },
  { rows: 37, heads: 6, keyValueHeads: 2, headDim: 16, rotary: 4 },
  { rows: 65, heads: 9, keyValueHeads: 3, headDim: 64, rotary: 64 },
  { rows: 7, heads: 2, keyValueHeads: 1, headDim: 80, rotary: 20 },
  { rows: 300, heads: 2, keyValueHeads: 2, headDim: 128, rotary: 128 },
  { rows: 9, heads: 2, keyValueHeads: 1, headDim: 256, rotary: 256 },
  { rows: 70_001, heads: 1, keyValueHeads: 1, headDim: 4, rotary: 4 },
];

describe.each(cases)(
  "$rows packed rows, $heads and $keyValueHeads heads of $headDim",
  ({ rows, ...heads }) => {
    const { raw, gradient, gains, turns } = inputsOf(rows, heads);

    it("are turned in place", async () => {
      const inputs = [raw, ...turns];
      await parity(ropePackedOp, { name: "packed", inputs, attrs: heads, tolerance: 1e-6 });
    });

    it.each([true, false])(
      "are normed and turned in both directions, shared by lanes: %s",
      async (canSplit) => {
        const attrs = { ...heads, epsilon: 1e-6, canSplit };
        const inputs = [raw, ...gains, ...turns];
        const tolerance = 1e-5;
        await parity(qkNormRopeOp, { name: "forward", inputs, attrs, tolerance });
        const back = [gradient, ...inputs];
        await parity(qkNormRopeGradientOp, {
          name: "backward",
          inputs: back,
          attrs,
          tolerance: 4 * tolerance,
        });
      },
    );
  },
);

describe("packed rows", () => {
  it("fold more than 65,535 workgroups", async () => {
    const heads = { heads: 31, keyValueHeads: 1, headDim: 4, rotary: 4 };
    const { raw, turns } = inputsOf(65_600, heads);
    await parity(ropePackedOp, { name: "folded", inputs: [raw, ...turns], attrs: heads, tolerance: 1e-6 });
  });
});
