import { describe, expect, it } from "vitest";
import { checkGradient, randomValues } from "../../tensor/testing.ts";
import { activate, erf } from "./activation.ts";
import { gatedActivationOp } from "./gatedActivation.ts";

const acts = ["silu", "geluTanh", "gelu"] as const;

describe("activation functions", () => {
  it("has erf to float64 precision", () => {
    // Abramowitz and Stegun, table 7.1.
    expect(erf(0)).toBe(0);
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(-1)).toBeCloseTo(-0.8427007929497149, 15);
    expect(erf(2)).toBeCloseTo(0.9953222650189527, 15);
    expect(erf(5.9)).toBeCloseTo(1, 15);
    expect(erf(-100)).toBe(-1);
  });

  it("gives the worked examples", () => {
    expect(activate("silu", Math.log(3)).value).toBeCloseTo(Math.log(3) * 0.75, 14);
    // Phi(1) = 0.8413447460685429, phi(1) = 0.24197072451914337.
    expect(activate("gelu", 1).value).toBeCloseTo(0.8413447460685429, 14);
    expect(activate("gelu", 1).slope).toBeCloseTo(0.8413447460685429 + 0.24197072451914337, 14);
    // 0.5 (1 + tanh(0.7978845608 * 1.044715)) and 0.5 - 0.5 tanh of the same.
    const t = Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715);
    expect(activate("geluTanh", 1).value).toBeCloseTo(0.5 * (1 + t), 14);
    expect(activate("geluTanh", -1).value).toBeCloseTo(-0.5 * (1 - t), 14);
  });

  it.each(acts)("%s does not overflow far from 0", (act) => {
    expect(Math.abs(activate(act, -1000).value)).toBe(0);
    expect(Math.abs(activate(act, -1000).slope)).toBe(0);
    expect(activate(act, 1000)).toEqual({ value: 1000, slope: 1 });
  });
});

describe.each(acts)("gatedActivation of %s", (act) => {
  it("multiplies the activated gate", () => {
    const product = new Float64Array(2);
    gatedActivationOp.cpu([Float64Array.of(0, 2), Float64Array.of(5, 3)], [product], [[2], [2]], { act });
    expect([...product]).toEqual([0, activate(act, 2).value * 3]);
  });

  it("has the gradients of gate and up", async () => {
    const shape = [3, 5];
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, shape, 2), shape }));
    await checkGradient(gatedActivationOp, { inputs, attrs: { act }, wrt: ["gate", "up"] });
  });

  it("has the gradient of one input alone", async () => {
    const shape = [2, 3];
    const inputs = [3, 4].map((seed) => ({ values: randomValues(seed, shape), shape }));
    await checkGradient(gatedActivationOp, { inputs, attrs: { act }, wrt: ["up"] });
  });

  it("refuses different shapes", () => {
    expect(() => gatedActivationOp.outputShapes([[2, 3], [3, 2]], { act })).toThrow(/\[2, 3\] and \[3, 2\]/); // prettier-ignore
  });
});
