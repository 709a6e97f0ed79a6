import { expect, test } from "vitest";
import { appendPackedCpu } from "./appendRows.cpu.ts";
import { appendPackedOp } from "./appendPacked.ts";

test("writes the last columns of packed rows into both caches, skips -1 and leaves the rest", () => {
  const keys = Float64Array.of(1, 2, 3, 4);
  const values = Float64Array.of(5, 6, 7, 8);
  // Rows of one query, two numbers of the key and two of the value.
  const qkv = Float64Array.of(0, 11, 12, 13, 14, 0, 21, 22, 23, 24);
  appendPackedCpu([keys, values, qkv, Int32Array.of(1, -1)], [], [[2, 2], [2, 2], [2, 5], [2]]);
  expect([...keys]).toEqual([1, 2, 11, 12]);
  expect([...values]).toEqual([5, 6, 13, 14]);
});

test("refuses rows that do not fit", () => {
  const shapes = [[9, 8], [9, 8], [2, 24], [2]];
  expect(appendPackedOp.outputShapes(shapes, {})).toEqual([]);
  expect(() => appendPackedOp.outputShapes(shapes.with(1, [8, 8]), {})).toThrow(
    "caches of [9, 8] and [8, 8]",
  );
  expect(() => appendPackedOp.outputShapes(shapes.with(2, [2, 12]), {})).toThrow("packed rows of 12");
  expect(() => appendPackedOp.outputShapes(shapes.with(3, [3]), {})).toThrow("3 slots");
});
