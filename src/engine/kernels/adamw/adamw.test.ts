import { describe, expect, it } from "vitest";
import { randomValues } from "../../tensor/testing.ts";
import { accumulateOp, adamwStepOp, sumSquaresOp } from "./adamw.ts";
import type { AdamwAttrs } from "./adamw.ts";

const settings = {
  learningRate: 0.05,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradNorm: 1,
};

function attrsOf(step: number): AdamwAttrs {
  const { beta1, beta2 } = settings;
  return { ...settings, biasCorrection1: 1 - beta1 ** step, biasCorrection2: 1 - beta2 ** step };
}

interface Parameter {
  readonly theta: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

function parameterOf(size: number, seed: number): Parameter {
  const theta = Float64Array.from(randomValues(seed, [size]));
  return { theta, m: new Float64Array(size), v: new Float64Array(size) };
}

const shapesOf = (size: number, slots: number) => [[size], [size], [size], [size], [slots]];

/** clip_grad_norm_ and AdamW as the PyTorch documentation writes them, one statement per line of its algorithm. */
function referenceStep(
  parameters: readonly Parameter[],
  gradients: readonly Float64Array[],
  step: number,
): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm } = settings;
  const totalNorm = Math.sqrt(
    gradients.flatMap((gradient) => [...gradient]).reduce((sum, g) => sum + g * g, 0),
  );
  const clip = Math.min(1, maxGradNorm / (totalNorm + 1e-6));
  parameters.forEach(({ theta, m, v }, which) => {
    for (let i = 0; i < theta.length; i++) {
      const g = gradients[which]![i]! * clip;
      theta[i] = theta[i]! - learningRate * weightDecay * theta[i]!;
      m[i] = beta1 * m[i]! + (1 - beta1) * g;
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
      const mHat = m[i]! / (1 - beta1 ** step);
      const vHat = v[i]! / (1 - beta2 ** step);
      theta[i] = theta[i]! - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
    }
  });
}

describe("adamw", () => {
  it("follows the reference over several steps and two tensors, clipped and not", () => {
    const sizes = [7, 12];
    const actual = sizes.map((size, index) => parameterOf(size, index));
    const expected = sizes.map((size, index) => parameterOf(size, index));
    for (let step = 1; step <= 6; step++) {
      // Norms of about 4 and of about 0.2, above and below the limit of 1.
      const scale = step % 2 === 0 ? 1 : 0.05;
      const gradients = sizes.map((size, index) =>
        Float64Array.from(randomValues(step * 10 + index, [size], scale)),
      );
      const totals = new Float64Array(2);
      gradients.forEach((gradient, slot) => {
        sumSquaresOp.cpu([gradient, totals], [], [[gradient.length], [2]], { slot, slots: 1 });
      });
      actual.forEach(({ theta, m, v }, index) => {
        const inputs = [theta, m, v, gradients[index]!, totals];
        adamwStepOp.cpu(inputs, [], shapesOf(theta.length, 2), attrsOf(step));
      });
      referenceStep(expected, gradients, step);
    }
    actual.forEach(({ theta, m, v }, index) => {
      theta.forEach((value, i) => expect(value).toBeCloseTo(expected[index]!.theta[i]!, 12));
      m.forEach((value, i) => expect(value).toBeCloseTo(expected[index]!.m[i]!, 12));
      v.forEach((value, i) => expect(value).toBeCloseTo(expected[index]!.v[i]!, 12));
    });
  });

  it("moves by the learning rate in the first step, whatever the gradient's size", () => {
    const theta = Float64Array.of(1, 1);
    const inputs = [
      theta,
      new Float64Array(2),
      new Float64Array(2),
      Float64Array.of(1e-3, -50),
      Float64Array.of(2500),
    ];
    adamwStepOp.cpu(inputs, [], shapesOf(2, 1), { ...attrsOf(1), weightDecay: 0, maxGradNorm: 0 });
    expect(theta[0]).toBeCloseTo(0.95, 5);
    expect(theta[1]).toBeCloseTo(1.05, 5);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "leaves everything unchanged when the norm is %f",
    (total) => {
      const { theta, m, v } = parameterOf(3, 1);
      const before = [...theta];
      adamwStepOp.cpu(
        [theta, m, v, Float64Array.of(1, total, 1), Float64Array.of(2, total)],
        [],
        shapesOf(3, 2),
        attrsOf(1),
      );
      expect([...theta, ...m, ...v]).toEqual([...before, 0, 0, 0, 0, 0, 0]);
    },
  );

  it("accumulates scaled gradients", () => {
    const sum = Float64Array.of(1, 2);
    accumulateOp.cpu([sum, Float64Array.of(4, 8)], [], [[2], [2]], { scale: 0.25 });
    expect([...sum]).toEqual([2, 4]);
  });

  it("refuses slots outside totals and sizes that differ", () => {
    expect(() => sumSquaresOp.outputShapes([[4], [2]], { slot: 1, slots: 2 })).toThrow(/slots 1 to 2 of 2/);
    expect(() => accumulateOp.outputShapes([[4], [5]], { scale: 1 })).toThrow(/4, 5/);
  });
});
