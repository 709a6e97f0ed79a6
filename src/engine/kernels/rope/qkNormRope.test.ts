import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import { rmsNormOp } from "../rmsNorm/rmsNorm.ts";
import { qkNormRope, qkNormRopeGradient, qkNormRopeGradientOp, qkNormRopeOp } from "./qkNormRope.ts";
import { ropePackedOp } from "./ropePacked.ts";
import { ropeTable } from "./ropeTable.ts";

const shape = { heads: 2, keyValueHeads: 1, headDim: 6 } as const;
const [rows, width] = [3, 24];
const random = (seed: number, count: number): Float64Array => Float64Array.from(randomValues(seed, [count]));

function caseOf(rotary: number) {
  const table = Float64Array.from(ropeTable({ headDim: rotary, maxPositions: 5, theta: 100 }));
  return {
    raw: random(1, rows * width),
    gains: [random(2, 6), random(3, 6)] as const,
    turns: [table, Int32Array.of(4, 0, 3)] as const,
    shapes: [[rows, width], [6], [6], [5, rotary / 2, 2], [rows]],
    attrs: { ...shape, rotary, epsilon: 1e-3, canSplit: false },
  };
}

describe.each([6, 4])("qkNormRope with %i of 6 values turned", (rotary) => {
  it("is the norm of every query and key head, then the rotation", () => {
    const { raw, gains, turns, shapes, attrs } = caseOf(rotary);
    const actual = new Float64Array(raw.length);
    qkNormRopeOp.cpu([raw, ...gains, ...turns], [actual], shapes, attrs);
    const expected = raw.slice();
    for (let head = 0; head < rows * 4; head++) {
      const place = head % 4;
      if (place === 3) continue; // values
      const x = raw.slice(head * 6, head * 6 + 6);
      const y = new Float64Array(6);
      const gain = place < 2 ? gains[0] : gains[1];
      rmsNormOp.cpu([x, gain], [y, new Float64Array(1)], [[1, 6], [6]], { epsilon: 1e-3 });
      expected.set(y, head * 6);
    }
    ropePackedOp.cpu([expected, ...turns], [], [[rows, width]], attrs);
    expect(() => compare(actual, expected, { label: "qkv", tolerance: 1e-12 })).not.toThrow();
  });

  it("has the gradient that central differences give, and leaves that of the values alone", () => {
    const { raw, gains, turns, shapes, attrs } = caseOf(rotary);
    const weights = random(4, raw.length);
    const loss = (point: Float64Array): number => {
      const qkv = new Float64Array(point.length);
      qkNormRopeOp.cpu([point, ...gains, ...turns], [qkv], shapes, attrs);
      return qkv.reduce((sum, value, i) => sum + value * weights[i]!, 0);
    };
    const expected = raw.map(
      (value, i) => (loss(raw.with(i, value + 1e-5)) - loss(raw.with(i, value - 1e-5))) / 2e-5,
    );
    const actual = weights.slice();
    qkNormRopeGradientOp.cpu([actual, raw, ...gains, ...turns], [], shapes, attrs);
    expect(() => compare(actual, expected, { label: "draw", tolerance: 1e-8 })).not.toThrow();
  });
});

describe("qkNormRope", () => {
  it("runs on tensors in both directions", async () => {
    await openTestDevice("cpu");
    const heads = { heads: 1, keyValueHeads: 1, headDim: 2, rotary: 2, epsilon: 0 };
    const raw = tensor([3, 3, 1, -1, 5, 6], [1, 6]);
    const inputs = {
      qGain: tensor([1, 2], [2]),
      kGain: tensor([1, 1], [2]),
      table: tensor([1, 0, 0, 1], [2, 1, 2]),
      positions: tensor(Int32Array.of(1), [1]),
    };
    // Both norms give (1, 1) and (1, -1); position 1 is a quarter turn: (a, b) -> (-b, a).
    const qkv = qkNormRope(raw, inputs, heads);
    expect([...(await read(qkv))].map((value) => Math.round(value * 1e5) / 1e5)).toEqual([-2, 1, 1, 1, 5, 6]);
    // Back: (0, 1) -> (1, 0) before the turn; over the gain (1, 0) less its mean along (1, 1): (1/2, -1/2) / 3.
    const dqkv = tensor([0, 1, 0, 0, 7, 8], [1, 6]);
    qkNormRopeGradient({ dqkv, raw }, inputs, heads);
    const gradient = await read(dqkv);
    expect(gradient[0]).toBeCloseTo(1 / 6, 6);
    expect(gradient[1]).toBeCloseTo(-1 / 6, 6);
    expect([...gradient].slice(4)).toEqual([7, 8]);
    for (const each of [raw, qkv, dqkv, ...Object.values(inputs)]) each.dispose();
  });

  it("refuses gains and gradients that do not fit", () => {
    const { shapes, attrs } = caseOf(6);
    expect(() => qkNormRopeOp.outputShapes(shapes.with(1, [5]), attrs)).toThrow(/gain of \[5\]/);
    expect(() => qkNormRopeGradientOp.outputShapes([[2, width], ...shapes], attrs)).toThrow(/differ/);
  });
});
