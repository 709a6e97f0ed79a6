import { test } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { ropeOp } from "./rope.ts";
import { ropeTable } from "./ropeTable.ts";

test.each([
  { rows: 1, heads: 1, headDim: 2, direction: 1 },
  { rows: 37, heads: 3, headDim: 6, direction: -1 },
  { rows: 65, heads: 9, headDim: 64, direction: 1 },
  { rows: 3, heads: 2, headDim: 256, direction: 1 },
  { rows: 70_000, heads: 1, headDim: 122, direction: 1 }, // more workgroups than one axis holds
] as const)("rope of $rows rows, $heads heads of $headDim", async ({ rows, heads, headDim, direction }) => {
  const maxPositions = 500;
  await parity(ropeOp, {
    name: "rope",
    inputs: [
      { values: randomValues(1, [rows, heads * headDim]), shape: [rows, heads * headDim] },
      { values: ropeTable({ headDim, maxPositions, theta: 10_000 }), shape: [maxPositions, headDim / 2, 2] },
      { values: Int32Array.from({ length: rows }, (_, row) => (row * 7) % maxPositions), shape: [rows] },
    ],
    attrs: { heads, headDim, direction },
  });
});
