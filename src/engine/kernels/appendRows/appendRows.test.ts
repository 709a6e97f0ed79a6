import { expect, test } from "vitest";
import { appendRowsCpu } from "./appendRows.cpu.ts";
import { appendRowsOp } from "./appendRows.ts";

test("writes rows into their slots, skips -1 and leaves the rest", () => {
  const cache = Float64Array.of(1, 2, 3, 4, 5, 6);
  appendRowsCpu(
    [cache, Float64Array.of(7, 8, 9, 10, 11, 12), Int32Array.of(2, -1, 0)],
    [],
    [[3, 2], [3, 2], [3]],
  );
  expect([...cache]).toEqual([11, 12, 3, 4, 7, 8]);
});

test("refuses rows of another width", () => {
  expect(() => appendRowsOp.outputShapes([[3, 2], [1, 3], [1]], {})).toThrow("rows of 2 got rows of 3");
  expect(() => appendRowsOp.outputShapes([[3, 2], [1, 2], [2]], {})).toThrow("2 slots");
});
