import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { addOp } from "./add.ts";

describe("add on WebGPU", () => {
  it.each([
    [1, 1],
    [37, 65],
    [640, 96],
  ])("has the oracle's values for [%i, %i]", async (...shape) => {
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await parity(addOp, { name: "add", inputs, attrs: {} });
  });
});
