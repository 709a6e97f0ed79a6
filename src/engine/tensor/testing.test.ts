import { expect, it } from "vitest";
import type { Op } from "./op.ts";
import { ShapeError } from "./op.ts";
import { read, run, tensor } from "./run.ts";
import { checkGradient, compare, openTestDevice, randomValues } from "./testing.ts";
import { squareOp } from "./testOps.ts";

const x = { values: randomValues(1, [2, 3]), shape: [2, 3] };

/** The square with a gradient that is off by a factor. */
function wrongSquare(name: string, factor: number): Op<{ scale: number }> {
  return {
    ...squareOp,
    name,
    gradient: (dys, inputs, outputs, { scale }) => ({
      x: () => {
        const closure = squareOp.gradient?.(dys, inputs, outputs, { scale: scale * factor })["x"];
        if (closure === undefined) throw new ShapeError("the square has a gradient");
        return closure();
      },
    }),
  };
}

it("accepts a right gradient, of all outputs and of one", async () => {
  await checkGradient(squareOp, { inputs: [x], attrs: { scale: 1.5 }, wrt: ["x"] });
  await checkGradient(squareOp, { inputs: [x], attrs: { scale: 1.5 }, wrt: ["x"], outputs: [1] });
});

it("refuses a gradient that is two thousandths off", async () => {
  const op = wrongSquare("test.wrongSquare", 1.002);
  const check = checkGradient(op, { inputs: [x], attrs: { scale: 1.5 }, wrt: ["x"] });
  await expect(check).rejects.toThrow("test.wrongSquare, gradient of x: element");
});

it("refuses a gradient that leaves tensors behind", async () => {
  const op: Op<{ scale: number }> = {
    ...wrongSquare("test.leakingSquare", 1),
    gradient: (dys, inputs, outputs, attrs) => {
      tensor([1], [1]).kept = true;
      return squareOp.gradient?.(dys, inputs, outputs, attrs) ?? {};
    },
  };
  const check = checkGradient(op, { inputs: [x], attrs: { scale: 1 }, wrt: ["x"] });
  await expect(check).rejects.toThrow("leaves 1 tensors behind");
});

it("refuses a name that is no input", async () => {
  const check = checkGradient(squareOp, { inputs: [x], attrs: { scale: 1 }, wrt: ["z"] });
  await expect(check).rejects.toThrow("no input z");
});

it("compares relative to the largest magnitude and never accepts NaN", () => {
  const options = { label: "y", tolerance: 1e-3 };
  const expected = new Float32Array([1000, 0]);
  compare(new Float32Array([1000.5, -0.5]), expected, options);
  expect(() => compare(new Float32Array([1002, 0]), expected, options)).toThrow("y: element 0 is 1002");
  expect(() => compare(new Float32Array([1000, Number.NaN]), expected, options)).toThrow("element 1 is NaN");
  expect(() => compare(new Float32Array([Number.NaN, 2]), expected, options)).toThrow("element 0 is NaN");
  expect(() => compare(new Float32Array([1000]), expected, options)).toThrow("1 values, expected 2");
  expect(() => compare(new Int32Array([5]), new Int32Array([4]), options)).toThrow("element 0 is 5");
});

it("draws the same values for the same seed", async () => {
  expect(randomValues(7, [4, 5])).toEqual(randomValues(7, [20]));
  expect(randomValues(7, [4])).not.toEqual(randomValues(8, [4]));
  const many = randomValues(3, [10_000], 2);
  const meanSquare = many.reduce((sum, value) => sum + value * value, 0) / many.length;
  expect(Math.sqrt(meanSquare)).toBeCloseTo(2, 1);
  await openTestDevice("cpu");
  const [y] = run(squareOp, [tensor(many, [100, 100])], { scale: 1 });
  expect((await read(y!)).every((value) => value >= 0)).toBe(true);
});
