import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { swigluGradOp, swigluOp } from "./swiglu.ts";

describe("swiglu on WebGPU", () => {
  it.each([
    [1, 1],
    [37, 65],
    [640, 256],
  ])("has the oracle's values and gradients for [%i, %i]", async (rows, columns) => {
    const shape = [rows, columns];
    const [gate, up, dy] = [1, 2, 3].map((seed) => ({ values: randomValues(seed, shape, 4), shape }));
    await parity(swigluOp, { name: "swiglu", inputs: [gate!, up!], attrs: {} });
    await parity(swigluGradOp, { name: "swigluGrad", inputs: [gate!, up!, dy!], attrs: {} });
  });

  it("is finite far from 0", async () => {
    const shape = [5];
    const gate = { values: [-1000, -100, -88, 88, 1000], shape };
    const ones = { values: [1, 1, 1, 1, 1], shape };
    await parity(swigluOp, { name: "swiglu", inputs: [gate, ones], attrs: {} });
    await parity(swigluGradOp, { name: "swigluGrad", inputs: [gate, ones, ones], attrs: {} });
  });

  it("folds more than 65,535 workgroups", async () => {
    const shape = [65_536 * 64 + 3];
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await parity(swigluOp, { name: "swiglu", inputs, attrs: {} });
  });
});
