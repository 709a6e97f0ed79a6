import { expect, it } from "vitest";
import type { Op } from "./op.ts";
import { failOnDeviceErrors, parity, randomValues } from "./testing.ts";
import { addInPlaceOp, brokenOp, squareOp } from "./testOps.ts";

const x = { values: randomValues(1, [37]), shape: [37] };
const words = { values: new Int32Array(37).fill(5), shape: [37] };

/** An operation with part of its shader text replaced. */
function edited<A extends object>(op: Op<A>, from: string, to: string): Op<A> {
  return {
    ...op,
    name: `${op.name}: ${to}`,
    dispatch: (shapes, attrs) => {
      const dispatch = op.dispatch(shapes, attrs);
      if (!dispatch.wgsl.includes(from)) throw new Error(`no ${from} to replace`);
      return { ...dispatch, wgsl: dispatch.wgsl.replace(from, to) };
    },
  };
}

it("refuses a result that is a thousandth off", async () => {
  const op = edited(squareOp, "s[gid.x] * x[gid.x]", "s[gid.x] * x[gid.x] * 1.001");
  const testCase = { name: "off", inputs: [x], attrs: { scale: 2 } };
  await expect(parity(op, testCase)).rejects.toThrow("(off), output y: element");
  await parity(op, { ...testCase, tolerance: 2e-3 });
});

it("refuses an output element that nobody writes", async () => {
  const op = edited(squareOp, "s[gid.x] = ", "if (gid.x != 5) { s[gid.x] = x[gid.x]; } _ = ");
  const check = parity(op, { name: "hole", inputs: [x], attrs: { scale: 1 } });
  await expect(check).rejects.toThrow("element 5 is NaN");
});

it("refuses a wrong integer and a wrong change in place", async () => {
  const testCase = { name: "wrong", inputs: [x, x, words], attrs: { step: 1 } };
  const integer = edited(addInPlaceOp, "* 2u", "* 2u + u32(gid.x == 36)");
  await expect(parity(integer, testCase)).rejects.toThrow("output doubled: element 36 is 11, expected 10");
  const inPlace = edited(addInPlaceOp, "+=", "-=");
  await expect(parity(inPlace, testCase)).rejects.toThrow("input changed after the run");
});

it("refuses a shader that does not compile", async () => {
  const testCase = { name: "broken", inputs: [x], attrs: {} };
  await expect(parity(brokenOp, testCase)).rejects.toThrow("shader of test.broken");
  await expect(failOnDeviceErrors()).rejects.toThrow("unresolved value");
});
