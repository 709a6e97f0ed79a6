import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { geluGradientOp, geluOp } from "./gelu.ts";

describe.each(["gelu", "geluTanh"] as const)("%s on WebGPU", (act) => {
  it.each([
    [1, 1],
    [37, 65],
    [640, 256],
  ])("has the oracle's value and gradient for [%i, %i]", async (rows, columns) => {
    const shape = [rows, columns];
    const [x, dy] = [1, 2].map((seed) => ({ values: randomValues(seed, shape, 3), shape }));
    await parity(geluOp, { name: "forward", inputs: [x!], attrs: { act }, tolerance: 1e-6 });
    await parity(geluGradientOp, { name: "gradient", inputs: [x!, dy!], attrs: { act }, tolerance: 1e-6 });
  });
});
