import { test } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { appendPackedOp } from "./appendPacked.ts";
import { appendRowsOp } from "./appendRows.ts";

test.each([
  { capacity: 3, count: 1, width: 1 },
  { capacity: 128, count: 37, width: 65 },
  { capacity: 1024, count: 8, width: 192 },
  { capacity: 70_001, count: 35_000, width: 121 }, // more workgroups than one axis holds
])("$count rows of $width into a cache of $capacity", async ({ capacity, count, width }) => {
  const slots = Int32Array.from({ length: count }, (_, row) => (row % 5 === 3 ? -1 : capacity - 1 - 2 * row));
  await parity(appendRowsOp, {
    name: "append",
    inputs: [
      { values: randomValues(1, [capacity, width]), shape: [capacity, width] },
      { values: randomValues(2, [count, width]), shape: [count, width] },
      { values: slots, shape: [count] },
    ],
    attrs: {},
  });
});

test.each([
  { capacity: 40, count: 7, width: 8, queries: 16 },
  { capacity: 400, count: 130, width: 192, queries: 576 },
])("$count packed rows into caches of $capacity rows of $width", async (each) => {
  const { capacity, count, width, queries } = each;
  const slots = Int32Array.from({ length: count }, (_, row) => (row % 5 === 3 ? -1 : capacity - 1 - 2 * row));
  const packed = [count, queries + 2 * width];
  const cache = { values: new Float32Array(capacity * width).fill(3), shape: [capacity, width] };
  await parity(appendPackedOp, {
    name: "append",
    inputs: [
      cache,
      cache,
      { values: randomValues(1, packed), shape: packed },
      { values: slots, shape: [count] },
    ],
    attrs: {},
    tolerance: 0,
  });
});
