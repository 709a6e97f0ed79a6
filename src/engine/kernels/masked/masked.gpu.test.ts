import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { maskedOp } from "./masked.ts";

describe("masked on WebGPU", () => {
  it.each([
    [1, 1],
    [37, 65],
    [65_536 * 64 + 3, 1],
  ])("has the oracle's values for [%i, %i]", async (...shape) => {
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await parity(maskedOp, { name: "masked", inputs, attrs: {} });
  });
});
