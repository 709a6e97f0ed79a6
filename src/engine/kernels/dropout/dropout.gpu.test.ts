import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { dropoutOp } from "./dropout.ts";

describe("dropout on WebGPU", () => {
  it.each([
    [1, 1, 0.5, 0],
    [37, 65, 0.1, 123],
    [640, 96, 0.05, 4_294_967_295],
    [70_001, 3, 0.9, 7],
    [5, 3, 0, 7],
  ])("has the oracle's mask for [%i, %i] at rate %f", async (rows, columns, rate, seed) => {
    const shape = [rows, columns];
    const inputs = [{ values: randomValues(1, shape), shape }];
    await parity(dropoutOp, { name: "dropout", inputs, attrs: { rate, seed }, tolerance: 1e-6 });
  });
});
