import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import { gatedActivationOp } from "../gatedActivation/gatedActivation.ts";
import { mlpActGradient, mlpActGradientOp } from "./mlpActGradient.ts";

const [rows, width, rank] = [3, 5, 2];
const before = 7; // parameters before A in theta

function caseOf(): Record<"da0" | "dxa" | "theta" | "gu", Float64Array> {
  return {
    da0: Float64Array.from(randomValues(1, [rows, width])),
    dxa: Float64Array.from(randomValues(2, [rows, rank])),
    theta: Float64Array.from(randomValues(3, [before + rank * width])),
    gu: Float64Array.from(randomValues(4, [rows, 2 * width], 2)),
  };
}

/** Columns [first, first + width) of gu. */
const half = (gu: Float64Array, first: number): Float64Array =>
  Float64Array.from(
    { length: rows * width },
    (_, i) => gu[Math.floor(i / width) * 2 * width + first + (i % width)]!,
  );

describe.each(["silu", "geluTanh", "gelu"] as const)("mlpActGradient of %s", (act) => {
  it.each([0, rank])("agrees with central differences at rank %i", (usedRank) => {
    const { da0, dxa, theta, gu } = caseOf();
    // The loss is sum(da * product), with da through base weight and adapter, by hand.
    const da = da0.slice();
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < width; column++)
        for (let i = 0; i < usedRank; i++)
          da[row * width + column]! += dxa[row * rank + i]! * theta[before + i * width + column]!;
    const loss = (point: Float64Array): number => {
      const product = new Float64Array(rows * width);
      gatedActivationOp.cpu([half(point, 0), half(point, width)], [product], [], { act });
      return product.reduce((sum, value, i) => sum + value * da[i]!, 0);
    };
    const expected = gu.map((value, i) => {
      const [less, more] = [gu.with(i, value - 1e-5), gu.with(i, value + 1e-5)];
      return (loss(more) - loss(less)) / 2e-5;
    });
    const actual = gu.slice();
    const inputs = usedRank === 0 ? [da0, actual] : [da0, dxa, theta, actual];
    const attrs = { act, rank: usedRank, aOffset: before, isVector: false };
    mlpActGradientOp.cpu(inputs, [], [[rows, width]], attrs);
    expect(() => compare(actual, expected, { label: "dgu", tolerance: 1e-8 })).not.toThrow();
  });
});

describe("mlpActGradient", () => {
  it("changes gate and up in place", async () => {
    await openTestDevice("cpu");
    // At gate 0 silu is 0 with slope 1/2: dgate = da up / 2, dup = 0.
    const gu = tensor([0, 6], [1, 2]);
    const da0 = tensor([3], [1, 1]);
    const adapter = { dxa: tensor([2], [1, 1]), theta: tensor([9, 0.5], [2]), aOffset: 1 };
    mlpActGradient({ da0, adapter, gu }, "silu");
    expect([...(await read(gu))]).toEqual([12, 0]);
    mlpActGradient({ da0, gu }, "silu");
    expect((await read(gu))[1]).toBeCloseTo(3 * 12, 3);
    for (const each of [gu, da0, adapter.dxa, adapter.theta]) each.dispose();
  });

  it("refuses tensors that do not fit", () => {
    const attrs = { act: "silu", rank: 2, aOffset: 1, isVector: false } as const;
    const shapes = (dxa: number[], theta: number, gu: number[]) => [[3, 4], dxa, [theta], gu];
    expect(() => mlpActGradientOp.outputShapes(shapes([3, 2], 9, [3, 7]), attrs)).toThrow(/gu is \[3, 7\]/);
    expect(() => mlpActGradientOp.outputShapes(shapes([3, 3], 9, [3, 8]), attrs)).toThrow(/dxa is \[3, 3\]/);
    expect(() => mlpActGradientOp.outputShapes(shapes([3, 2], 8, [3, 8]), attrs)).toThrow(/ends at 9 of 8/);
  });
});
