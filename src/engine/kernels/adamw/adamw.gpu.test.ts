import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { openTestDevice, parity, randomValues } from "../../tensor/testing.ts";
import { accumulateAtOp, adamwClip, adamwClipOp, gradientSquares } from "./adamw.ts";

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

function stepInputs(size: number, partials: readonly number[]) {
  const vector = (values: Float32Array) => ({ values, shape: [size] });
  return [
    vector(randomValues(1, [size])),
    vector(randomValues(2, [size], 0.1)),
    vector(randomValues(3, [size]).map((value) => value * value)),
    vector(randomValues(4, [size])),
    { values: partials, shape: [partials.length] },
  ];
}

const sizes = [1, 37, 1025, 300_001];

describe("adamwClip on WebGPU", () => {
  it.each(sizes)("has the squares of %i values", async (size) => {
    const device = await openTestDevice("webgpu");
    const gradient = randomValues(1, [size]);
    const input = tensor(gradient, [size]);
    const before = device.counters().dispatches;
    const partials = gradientSquares(input);
    expect(device.counters().dispatches - before).toBe(1);
    expect(partials.size).toBeLessThanOrEqual(256);
    // How the values are shared out is the shader's own affair; only the sum counts.
    const total = Array.from(await read(partials)).reduce((sum, value) => sum + value, 0);
    const expected = gradient.reduce((sum, value) => sum + value * value, 0);
    expect(Math.abs(total / expected - 1)).toBeLessThan(1e-5);
    for (const each of [input, partials]) each.dispose();
  });

  it.each(sizes)("updates %i values, clipped and not", async (size) => {
    const inputs = stepInputs(size, [4, 9, 3]);
    await parity(adamwClipOp, { name: "clipped", inputs, attrs, tolerance: 1e-6 });
    const unclipped = { ...attrs, maxGradNorm: 0 };
    await parity(adamwClipOp, { name: "unclipped", inputs, attrs: unclipped, tolerance: 1e-6 });
  });

  it("adds up 256 partial sums", async () => {
    const partials = Array.from({ length: 256 }, (_, slot) => slot / 100);
    await parity(adamwClipOp, { name: "256", inputs: stepInputs(65, partials), attrs, tolerance: 1e-6 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("changes nothing when a sum is %f", async (sum) => {
    const inputs = stepInputs(65, [1, sum]);
    await parity(adamwClipOp, { name: "not finite", inputs, attrs, tolerance: 0 });
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, 1e30])(
    "skips a step in whose gradient one value is %f",
    async (wrong) => {
      const device = await openTestDevice("webgpu");
      const size = 5000;
      const [theta, gradient] = [randomValues(1, [size]), randomValues(2, [size])];
      gradient[4321] = wrong;
      const gradients = tensor(gradient, [size]);
      const before = device.counters().dispatches;
      const squares = gradientSquares(gradients);
      const tensors = {
        theta: tensor(theta, [size]),
        m: tensor(new Float32Array(size), [size]),
        v: tensor(new Float32Array(size), [size]),
        gradients,
        squares,
      };
      const report = adamwClip(tensors, attrs);
      expect(device.counters().dispatches - before).toBe(2);
      expect((await read(report))[1]).toBe(1);
      expect(await read(tensors.theta)).toEqual(theta);
      expect(await read(tensors.m)).toEqual(new Float32Array(size));
      for (const each of [...Object.values(tensors), report]) each.dispose();
    },
  );

  it("folds more than 65,535 workgroups", async () => {
    const size = 65_536 * 64 + 3;
    const inputs = [
      { values: randomValues(1, [size]), shape: [size] },
      { values: randomValues(2, [size - 2]), shape: [size - 2] },
    ];
    await parity(accumulateAtOp, { name: "folded", inputs, attrs: { offset: 1 }, tolerance: 1e-6 });
  });
});
