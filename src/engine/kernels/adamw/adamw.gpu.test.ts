import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { accumulateOp, adamwStepOp, sumSquaresOp } from "./adamw.ts";

const attrs = {
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradNorm: 1,
  biasCorrection1: 1 - 0.9 ** 3,
  biasCorrection2: 1 - 0.999 ** 3,
};

function parameterInputs(size: number, totals: readonly number[]) {
  const vector = (values: Float32Array) => ({ values, shape: [size] });
  return [
    vector(randomValues(1, [size])),
    vector(randomValues(2, [size], 0.1)),
    vector(randomValues(3, [size]).map((value) => value * value)),
    vector(randomValues(4, [size])),
    { values: totals, shape: [totals.length] },
  ];
}

const sizes = [1, 3, 37, 65, 8 * 96, 768 * 96 + 1];

describe("adamw on WebGPU", () => {
  it.each(sizes)("sums the squares of %i values into its slots only", async (size) => {
    const gradient = { values: randomValues(1, [size]), shape: [size] };
    const totals = { values: [1, 2, 3, 4, 5, 6], shape: [6] };
    await parity(sumSquaresOp, {
      name: "one slot",
      inputs: [gradient, totals],
      attrs: { slot: 2, slots: 1 },
      tolerance: 1e-5,
    });
  });

  it.each(sizes)("updates %i values, clipped and not", async (size) => {
    const inputs = parameterInputs(size, [4, 9, 3]);
    await parity(adamwStepOp, { name: "clipped", inputs, attrs, tolerance: 1e-6 });
    await parity(adamwStepOp, {
      name: "unclipped",
      inputs,
      attrs: { ...attrs, maxGradNorm: 0 },
      tolerance: 1e-6,
    });
  });

  it("reads many slots", async () => {
    const inputs = parameterInputs(
      5,
      Array.from({ length: 131 }, (_, slot) => slot / 100),
    );
    await parity(adamwStepOp, { name: "131 slots", inputs, attrs, tolerance: 1e-6 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("changes nothing when a total is %f", async (total) => {
    await parity(adamwStepOp, {
      name: "not finite",
      inputs: parameterInputs(65, [1, total]),
      attrs,
      tolerance: 0,
    });
  });

  it.each(sizes)("accumulates %i values", async (size) => {
    const inputs = [1, 2].map((seed) => ({ values: randomValues(seed, [size]), shape: [size] }));
    await parity(accumulateOp, { name: "accumulate", inputs, attrs: { scale: 0.25 }, tolerance: 1e-6 });
  });
});
