import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { AdamwAttrs } from "./adamw.ts";
import {
  accumulateAt,
  accumulateAtOp,
  adamwClip,
  adamwClipOp,
  gradientSquares,
  gradientSquaresOp,
} from "./adamw.ts";

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

interface State {
  readonly theta: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

function stateOf(size: number): State {
  const theta = Float64Array.from(randomValues(1, [size]));
  return { theta, m: new Float64Array(size), v: new Float64Array(size) };
}

function step({ theta, m, v }: State, gradient: Float64Array, attrs: AdamwAttrs): Float64Array {
  const [partialsShape] = gradientSquaresOp.outputShapes([[gradient.length]], {});
  const partials = new Float64Array(partialsShape![0]!);
  gradientSquaresOp.cpu([gradient], [partials], [[gradient.length]], {});
  const report = new Float64Array(2);
  adamwClipOp.cpu([theta, m, v, gradient, partials], [report], [], attrs);
  return report;
}

/** clip_grad_norm_ and AdamW as the PyTorch documentation writes them, one statement per line of its algorithm. */
function referenceStep({ theta, m, v }: State, gradient: Float64Array, count: number): number {
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm } = settings;
  const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  const clip = Math.min(1, maxGradNorm / (norm + 1e-6));
  for (let i = 0; i < theta.length; i++) {
    const g = gradient[i]! * clip;
    theta[i] = theta[i]! - learningRate * weightDecay * theta[i]!;
    m[i] = beta1 * m[i]! + (1 - beta1) * g;
    v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    const mHat = m[i]! / (1 - beta1 ** count);
    const vHat = v[i]! / (1 - beta2 ** count);
    theta[i] = theta[i]! - (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
  }
  return norm;
}

describe("adamwClip", () => {
  // 2,500 values make three partial sums.
  it.each([19, 2500])("follows the reference over several steps of %i values, clipped and not", (size) => {
    const [actual, expected] = [stateOf(size), stateOf(size)];
    for (let count = 1; count <= 6; count++) {
      // Norms above and below the limit of 1.
      const scale = count % 2 === 0 ? 1 : 0.1 / Math.sqrt(size);
      const gradient = Float64Array.from(randomValues(count * 10, [size], scale));
      const report = step(actual, gradient, attrsOf(count));
      const norm = referenceStep(expected, gradient, count);
      expect(norm > settings.maxGradNorm).toBe(count % 2 === 0);
      expect(report[0]).toBeCloseTo(norm, 12);
      expect(report[1]).toBe(0);
    }
    for (const name of ["theta", "m", "v"] as const) {
      actual[name].forEach((value, i) => expect(value).toBeCloseTo(expected[name][i]!, 12));
    }
  });

  it("does not clip when the limit is 0", () => {
    const state = stateOf(2);
    const report = step(state, Float64Array.of(30, 40), { ...attrsOf(1), maxGradNorm: 0 });
    expect([...report]).toEqual([50, 0]);
    expect(state.m[0]).toBeCloseTo(3, 12);
    expect(state.m[1]).toBeCloseTo(4, 12);
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, 1e30])(
    "changes nothing and says so when a gradient is %f",
    (wrong) => {
      const state = stateOf(3);
      const before = [...state.theta];
      const report = step(state, Float64Array.of(1, wrong, 1), attrsOf(1));
      expect(Number.isFinite(report[0])).toBe(false);
      expect(report[1]).toBe(1);
      expect([...state.theta, ...state.m, ...state.v]).toEqual([...before, 0, 0, 0, 0, 0, 0]);
    },
  );

  it("runs on tensors", async () => {
    await openTestDevice("cpu");
    const gradients = tensor([3, -4], [2]);
    const tensors = {
      theta: tensor([1, 1], [2]),
      m: tensor([0, 0], [2]),
      v: tensor([0, 0], [2]),
      gradients,
      squares: gradientSquares(gradients),
    };
    const report = adamwClip(tensors, { ...attrsOf(1), weightDecay: 0 });
    expect([...(await read(report))]).toEqual([5, 0]);
    // The first step moves by the learning rate, whatever the gradient's size.
    const theta = await read(tensors.theta);
    expect(theta[0]).toBeCloseTo(0.95, 6);
    expect(theta[1]).toBeCloseTo(1.05, 6);
    for (const each of [...Object.values(tensors), report]) each.dispose();
  });

  it("refuses sizes that differ", () => {
    expect(() => adamwClipOp.outputShapes([[4], [4], [4], [5], [1]], attrsOf(1))).toThrow(/4, 4, 4, 5/);
  });
});

describe("accumulateAt", () => {
  it("adds from the offset on", async () => {
    await openTestDevice("cpu");
    const [sum, gradient] = [tensor([1, 2, 3, 4], [4]), tensor([10, 20], [2])];
    accumulateAt(sum, gradient, 1);
    expect([...(await read(sum))]).toEqual([1, 12, 23, 4]);
    sum.dispose();
    gradient.dispose();
  });

  it("refuses a range outside of the sum", () => {
    expect(() => accumulateAtOp.outputShapes([[4], [2]], { offset: 3 })).toThrow(/2 values from 3 on/);
  });
});
