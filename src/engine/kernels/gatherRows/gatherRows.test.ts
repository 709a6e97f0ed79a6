import { expect, test } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { gatherRowsCpu } from "./gatherRows.cpu.ts";
import { gatherRowsOp } from "./gatherRows.ts";

test("copies the named rows and gives zeros for a negative index", () => {
  const y = new Float64Array(6);
  gatherRowsCpu([Float64Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(2, -1, 0)], [y], [[3, 2]]);
  expect([...y]).toEqual([5, 6, 0, 0, 1, 2]);
});

test.each([3, 4])("gradient agrees with finite differences for rows of %d", async (width) => {
  await checkGradient(gatherRowsOp, {
    inputs: [
      { values: randomValues(1, [5, width]), shape: [5, width] },
      { values: Int32Array.of(3, 0, 4), shape: [3] },
      { values: Int32Array.of(1, -1, -1, 0, 2), shape: [5] },
    ],
    attrs: { isVectorised: width === 4 },
    wrt: ["x"],
  });
});

test("refuses an inverse of another length", () => {
  expect(() => gatherRowsOp.outputShapes([[5, 3], [2], [4]], { isVectorised: false })).toThrow("4 inverses");
  expect(() => gatherRowsOp.outputShapes([[5, 3], [2], [5]], { isVectorised: true })).toThrow("rows of 3");
});
