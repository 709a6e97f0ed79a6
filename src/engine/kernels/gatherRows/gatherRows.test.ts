import { expect, test } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { gatherRowsCpu, sumEntriesCpu } from "./gatherRows.cpu.ts";
import { gatherRowsOp, sumEntriesOp } from "./gatherRows.ts";

test("copies the named rows and gives zeros for a negative index", () => {
  const y = new Float64Array(6);
  gatherRowsCpu([Float64Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(2, -1, 0)], [y], [[3, 2]]);
  expect([...y]).toEqual([5, 6, 0, 0, 1, 2]);
});

test("sums both entries of a row, in either column, and gives zeros to a row without one", () => {
  const dx = new Float64Array(8);
  const inverse = Int32Array.of(2, 0, -1, -1, -1, 1, 1, -1);
  sumEntriesCpu([Float64Array.of(1, 2, 3, 4, 5, 6), inverse], [dx], [[3, 2]]);
  expect([...dx]).toEqual([6, 8, 0, 0, 3, 4, 3, 4]);
});

test.each([3, 4])("gradient agrees with finite differences for rows of %d", async (width) => {
  await checkGradient(gatherRowsOp, {
    inputs: [
      { values: randomValues(1, [5, width]), shape: [5, width] },
      { values: Int32Array.of(3, 0, 4, 3), shape: [4] }, // row 3 twice
      { values: Int32Array.of(1, -1, -1, -1, -1, -1, 0, 3, 2, -1), shape: [5, 2] },
    ],
    attrs: { isVectorised: width === 4 },
    wrt: ["x"],
  });
});

test("refuses an inverse of another shape", () => {
  const isVectorised = false;
  expect(() => gatherRowsOp.outputShapes([[5, 3], [2], [4, 2]], { isVectorised })).toThrow("[4, 2]");
  expect(() => gatherRowsOp.outputShapes([[5, 3], [2], [5]], { isVectorised })).toThrow("not [5, 2]");
  expect(() => sumEntriesOp.outputShapes([[5, 3], [5]], { isVectorised })).toThrow("not [5, 2]");
  expect(() => gatherRowsOp.outputShapes([[5, 3], [2], [5, 2]], { isVectorised: true })).toThrow("rows of 3");
});
