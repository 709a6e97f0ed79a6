import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { addOp } from "./add.ts";

describe("add", () => {
  it("adds value by value", () => {
    const total = new Float64Array(3);
    addOp.cpu([Float64Array.of(1, 2, 3), Float64Array.of(10, 20, 30)], [total], [[3], [3]], {});
    expect([...total]).toEqual([11, 22, 33]);
  });

  it("has the gradients of both", async () => {
    const shape = [3, 5];
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await checkGradient(addOp, { inputs, attrs: {}, wrt: ["a", "b"] });
  });

  it("refuses different shapes", () => {
    expect(() => addOp.outputShapes([[6], [2, 3]], {})).toThrow(/\[6\] and \[2, 3\]/);
  });
});
