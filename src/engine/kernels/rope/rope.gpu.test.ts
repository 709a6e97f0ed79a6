import { test } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { ropeOp } from "./rope.ts";
import { ropeTable } from "./ropeTable.ts";

test.each([
  { rows: 1, heads: 1, headDim: 2, rotary: 2, isInterleaved: false, direction: 1 },
  { rows: 37, heads: 3, headDim: 6, rotary: 6, isInterleaved: true, direction: -1 },
  { rows: 37, heads: 3, headDim: 16, rotary: 4, isInterleaved: false, direction: -1 },
  { rows: 5, heads: 2, headDim: 80, rotary: 32, isInterleaved: true, direction: 1 },
  { rows: 65, heads: 9, headDim: 64, rotary: 64, isInterleaved: false, direction: 1 },
  { rows: 3, heads: 2, headDim: 256, rotary: 256, isInterleaved: false, direction: 1 },
  // More workgroups than one axis holds.
  { rows: 70_000, heads: 1, headDim: 122, rotary: 122, isInterleaved: false, direction: 1 },
] as const)("rope of $rows rows, $heads heads, $rotary of $headDim", async ({ rows, ...attrs }) => {
  const { heads, headDim, rotary } = attrs;
  const maxPositions = 500;
  await parity(ropeOp, {
    name: "rope",
    inputs: [
      { values: randomValues(1, [rows, heads * headDim]), shape: [rows, heads * headDim] },
      {
        values: ropeTable({ headDim: rotary, maxPositions, theta: 10_000 }),
        shape: [maxPositions, rotary / 2, 2],
      },
      { values: Int32Array.from({ length: rows }, (_, row) => (row * 7) % maxPositions), shape: [rows] },
    ],
    attrs,
    tolerance: 1e-6,
  });
});
