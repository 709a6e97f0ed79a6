import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { gatedActivationGradientOp, gatedActivationOp } from "./gatedActivation.ts";

const tolerance = 1e-6;

describe.each(["silu", "geluTanh", "gelu"] as const)("gatedActivation of %s on WebGPU", (act) => {
  const attrs = { act };

  it.each([
    [1, 1],
    [37, 65],
    [640, 256],
  ])("has the oracle's values and gradients for [%i, %i]", async (rows, columns) => {
    const shape = [rows, columns];
    const [gate, up, dy] = [1, 2, 3].map((seed) => ({ values: randomValues(seed, shape, 4), shape }));
    await parity(gatedActivationOp, { name: "forward", inputs: [gate!, up!], attrs, tolerance });
    await parity(gatedActivationGradientOp, { name: "both", inputs: [gate!, up!, dy!], attrs, tolerance });
  });

  it("is exact near 0 and in the tails", async () => {
    const values = Array.from({ length: 2001 }, (_, index) => (index - 1000) / 100);
    const shape = [values.length];
    const gate = { values, shape };
    // Weights that grow where the values vanish, so that an absolute error in a tail shows.
    const weights = { values: values.map((value) => Math.exp(Math.min(-value, 8))), shape };
    await parity(gatedActivationOp, { name: "tails", inputs: [gate, weights], attrs, tolerance });
  });

  it("is finite far from 0", async () => {
    const shape = [6];
    const gate = { values: [-1000, -100, -88, 0, 88, 1000], shape };
    const ones = { values: [1, 1, 1, 1, 1, 1], shape };
    await parity(gatedActivationOp, { name: "far", inputs: [gate, ones], attrs, tolerance });
    await parity(gatedActivationGradientOp, { name: "far", inputs: [gate, ones, ones], attrs, tolerance });
  });
});

describe("gatedActivation on WebGPU", () => {
  it("folds more than 65,535 workgroups", async () => {
    const shape = [65_536 * 64 + 3];
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await parity(gatedActivationOp, { name: "folded", inputs, attrs: { act: "silu" } });
  });
});
