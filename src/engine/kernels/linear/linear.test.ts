import { beforeAll, describe, expect, it } from "vitest";
import { read, tensor, tidy } from "../../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { valueAndVjp } from "../../tensor/vjp.ts";
import { counterHash, dropThreshold } from "../dropout/dropout.cpu.ts";
import type { DropoutAttrs } from "../dropout/dropout.ts";
import { packRows, unpackRow, weightLayouts } from "../weightLayout/weightLayout.ts";
import { packedWeight } from "../weightLayout/packedWeight.ts";
import { linear } from "./linear.ts";

const [rows, width, outWidth, rank, scale] = [5, 7, 6, 2, 1.5];
const shapes = {
  x: [rows, width],
  weight: [outWidth, width],
  bias: [outWidth],
  a: [rank, width],
  b: [outWidth, rank],
} as const;
const names = ["x", "weight", "bias", "a", "b"] as const;
type Arrays = Record<(typeof names)[number], Float64Array>;

const arrays = Object.fromEntries(
  names.map((name, index) => [name, Float64Array.from(randomValues(index + 1, shapes[name]))]),
) as Arrays;
const dy = randomValues(9, [rows, outWidth]);

/** The definition in plain loops: x W^T + bias + scale (drop(x) A^T) B^T. */
function naive({ x, weight, bias, a, b }: Arrays, dropped: DropoutAttrs | undefined): Float64Array {
  const y = new Float64Array(rows * outWidth);
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outWidth; out++) {
      let sum = bias[out]!;
      for (let k = 0; k < width; k++) {
        sum += x[row * width + k]! * weight[out * width + k]!;
        const { rate, seed } = dropped ?? { rate: 0, seed: 0 };
        const isKept = counterHash(seed, row, k) >= dropThreshold(rate);
        if (!isKept) continue;
        for (let r = 0; r < rank; r++) {
          sum += ((scale * x[row * width + k]!) / (1 - rate)) * a[r * width + k]! * b[out * rank + r]!;
        }
      }
      y[row * outWidth + out] = sum;
    }
  }
  return y;
}

function functional(values: Arrays, dropped: DropoutAttrs | undefined): number {
  return naive(values, dropped).reduce((sum, value, index) => sum + value * dy[index]!, 0);
}

function differences(name: (typeof names)[number], dropped: DropoutAttrs | undefined): Float64Array {
  const step = 1e-5;
  return arrays[name].map((value, element) => {
    const at = (moved: number): number =>
      functional({ ...arrays, [name]: arrays[name].with(element, moved) }, dropped);
    return (at(value + step) - at(value - step)) / (2 * step);
  });
}

describe("linear", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it.each([undefined, { rate: 0.4, seed: 17 }])(
    "equals the definition and its differences with %o",
    async (dropped) => {
      const { values, gradients } = tidy(() => {
        const tensors = names.map((name) => tensor(arrays[name], shapes[name]));
        const [x, weight, bias, a, b] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
        const adapter = { a, b, scale, ...(dropped === undefined ? {} : { dropout: dropped }) };
        const forward = (): Tensor[] => [linear(x, { weight, bias, adapter })];
        return valueAndVjp(forward, tensors, [tensor(dy, [rows, outWidth])]);
      });
      expect(values[0]!.shape).toEqual([rows, outWidth]);
      compare(await read(values[0]!), naive(arrays, dropped), { label: "y", tolerance: 1e-5 });
      for (const [index, name] of names.entries()) {
        compare(await read(gradients[index]!), differences(name, dropped), { label: name, tolerance: 1e-4 });
      }
    },
  );

  it("is the plain product without an adapter", async () => {
    const y = tidy(() => {
      return linear(tensor([1, 2, 3, 4], [2, 2]), { weight: tensor([1, 0, 0, 1, 1, 1], [3, 2]) });
    });
    expect(y.shape).toEqual([2, 3]);
    expect([...(await read(y))]).toEqual([1, 2, 3, 3, 4, 7]);
  });

  it.each(weightLayouts)(
    "is the same over a weight packed in %s as over its unpacked values",
    async (layout) => {
      const words = packRows(arrays.weight, [outWidth, width], layout);
      const unpacked = Array.from({ length: outWidth }, (_, row) => [
        ...unpackRow(words, row, width, layout),
      ]).flat();
      const outcome = async (isPacked: boolean) => {
        const { values, gradients } = tidy(() => {
          const [x, bias, a, b] = (["x", "bias", "a", "b"] as const).map((name) =>
            tensor(arrays[name], shapes[name]),
          ) as [Tensor, Tensor, Tensor, Tensor];
          const weight = isPacked
            ? packedWeight(words, [outWidth, width], layout)
            : tensor(unpacked, shapes.weight);
          const forward = (): Tensor[] => [linear(x, { weight, bias, adapter: { a, b, scale } })];
          return valueAndVjp(forward, [x, bias, a, b], [tensor(dy, [rows, outWidth])]);
        });
        return Promise.all([...values, ...gradients].map(read));
      };
      expect(await outcome(true)).toEqual(await outcome(false));
    },
  );
});
