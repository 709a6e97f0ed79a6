import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { swigluOp } from "./swiglu.ts";

describe("swiglu", () => {
  it("gives the worked example, without overflow far from 0", () => {
    const product = new Float64Array(4);
    const inputs = [Float64Array.of(0, Math.log(3), -1000, 1000), Float64Array.of(5, 2, 1, 1)];
    swigluOp.cpu(inputs, [product], [[4], [4]], {});
    expect(product[0]).toBe(0);
    expect(product[1]).toBeCloseTo(Math.log(3) * 0.75 * 2, 12);
    expect(Math.abs(product[2]!)).toBe(0);
    expect(product[3]).toBe(1000);
  });

  it("has the gradients of gate and up", async () => {
    const shape = [3, 5];
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape, 2), shape }));
    await checkGradient(swigluOp, { inputs, attrs: {}, wrt: ["gate", "up"] });
  });

  it("has the gradient of one input alone", async () => {
    const shape = [2, 3];
    const inputs = [3, 4].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await checkGradient(swigluOp, { inputs, attrs: {}, wrt: ["up"] });
  });

  it("refuses different shapes", () => {
    expect(() => swigluOp.outputShapes([[2, 3], [3, 2]], {})).toThrow(/\[2, 3\] and \[3, 2\]/); // prettier-ignore
  });
});
