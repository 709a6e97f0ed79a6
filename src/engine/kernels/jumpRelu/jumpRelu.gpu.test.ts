import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { jumpReluOp } from "./jumpRelu.ts";

describe("jumpRelu on WebGPU", () => {
  it.each([
    [1, 1],
    [37, 65],
    [65_537, 65], // more workgroups than one axis holds
  ])("has the oracle's values for [%i, %i]", async (...shape) => {
    const threshold = { values: randomValues(2, [shape[1]], 0.5), shape: [shape[1]] };
    const inputs = [{ values: randomValues(1, shape), shape }, threshold];
    await parity(jumpReluOp, { name: "jumpRelu", inputs, attrs: {} });
  });
});
