import { beforeEach, describe, expect, it } from "vitest";
import type { Floats, Values } from "../../tensor/op.ts";
import { read, run, tensor, tidy } from "../../tensor/run.ts";
import { compare as checkClose, openTestDevice, randomValues } from "../../tensor/testing.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { valueAndVjp } from "../../tensor/vjp.ts";
import { add } from "../add/add.ts";
import { matmul } from "../matmul/matmul.ts";
import { rmsNormOp } from "../rmsNorm/rmsNorm.ts";
import { addNorm, addNormOp } from "./addNorm.ts";
import { addNormCase, addNormGradientCase } from "./addNormCase.testing.ts";
import { addNormGainGradient, addNormGradient, addNormGradientOp } from "./addNormGradient.ts";

beforeEach(async () => {
  await openTestDevice("cpu");
});

describe("addNorm", () => {
  it("gives the worked example", () => {
    // h = (1, 2) + (0, 1) + 2 * 3 * (1/3, 1/6) = (3, 4); mean square 12.5; A = (1, 10).
    const inputs = [[1, 2], [0, 1], [3], [1, 2], [9, 1, 10, 1 / 3, 1 / 6]].map((each) =>
      Float64Array.from(each),
    );
    const outputs = [2, 2, 2].map((size) => new Float64Array(size));
    const attrs = { ...addNormCase({ rows: 1, columns: 2, upRank: 1, downRank: 1 }).attrs };
    const placed = { ...attrs, epsilon: 0.5, loraScale: 2, aOffset: 1, bOffset: 3 };
    addNormOp.cpu(inputs, outputs, [[1, 2], [1, 2], [1, 1], [2], [5]], placed);
    const rstd = 1 / Math.sqrt(13);
    const expected = [
      [3, 4],
      [3 * rstd, 8 * rstd],
      [rstd, 83 * rstd],
    ];
    expected.forEach((values, index) =>
      values.forEach((value, place) => expect(outputs[index]?.[place]).toBeCloseTo(value, 12)),
    );
  });

  it("refuses what does not fit", () => {
    const { attrs, inputs } = addNormCase({ rows: 3, columns: 5, upRank: 2, downRank: 3 });
    const shapes = inputs.map(({ shape }) => shape);
    const replaced = (index: number, shape: readonly number[]) =>
      shapes.map((each, place) => (place === index ? shape : each));
    expect(addNormOp.outputShapes(shapes, attrs)).toEqual([
      [3, 5],
      [3, 5],
      [3, 4],
    ]);
    expect(() => addNormOp.outputShapes(replaced(0, [15]), attrs)).toThrow("matrix");
    expect(() => addNormOp.outputShapes(replaced(1, [3, 4]), attrs)).toThrow("y0 is [3, 4], not [3, 5]");
    expect(() => addNormOp.outputShapes(replaced(2, [3, 3]), attrs)).toThrow("ya is [3, 3], not [3, 2]");
    expect(() => addNormOp.outputShapes(replaced(3, [4]), attrs)).toThrow("gain is [4], not [5]");
    expect(() => addNormOp.outputShapes(replaced(4, [30]), attrs)).toThrow("before element 31");
    expect(() => addNormOp.outputShapes(shapes, { ...attrs, hasAdd: false })).toThrow("projection's output");
  });
});

/** Gradient of `sum(h * dh) + sum(xn * dxn0) + sum(xa * dxa)` with respect to x, by central differences in float64. */
function differences(sizes: Parameters<typeof addNormCase>[0]): Float64Array {
  const { attrs, inputs } = addNormCase({ ...sizes, hasAdd: true });
  const { dxn0, inputs: upstream } = addNormGradientCase(sizes);
  const dh = upstream.at(-1)!.values;
  const { rows, columns, downRank = 0 } = sizes;
  const dxa = downRank > 0 ? upstream[1]!.values : [];
  const shapes = inputs.map(({ shape }) => shape);
  const base = inputs.map(({ values }) => Float64Array.from(values));
  const functional = (element: number, change: number): number => {
    const arrays = base.map((array) => array.slice());
    arrays[0]![element]! += change;
    const [h, xn, aux] = [columns, columns, 1 + downRank].map((width) => new Float64Array(rows * width));
    addNormOp.cpu(arrays, [h!, xn!, aux!], shapes, attrs);
    let sum = 0;
    for (let index = 0; index < h!.length; index++) {
      sum += h![index]! * dh[index]! + xn![index]! * dxn0.values[index]!;
    }
    for (let index = 0; index < dxa.length; index++) {
      const place = Math.floor(index / downRank) * (1 + downRank) + 1 + (index % downRank);
      sum += aux![place]! * dxa[index]!;
    }
    return sum;
  };
  const step = 1e-5;
  return Float64Array.from(
    { length: rows * columns },
    (_, element) => (functional(element, step) - functional(element, -step)) / (2 * step),
  );
}

describe("addNormGradient", () => {
  it.each([
    { rows: 1, columns: 1 },
    { rows: 3, columns: 7, downRank: 1 },
    { rows: 2, columns: 16, upRank: 2, downRank: 12 },
  ])("agrees with finite differences for %o", (sizes) => {
    const { attrs, inputs } = addNormGradientCase(sizes);
    const arrays = inputs.map(({ values }) => Float64Array.from(values)) as Values[];
    addNormGradientOp.cpu(
      arrays,
      [] as Floats[],
      inputs.map(({ shape }) => shape),
      attrs,
    );
    checkClose(arrays.at(-1)!, differences(sizes), { label: "dh", tolerance: 1e-6 });
  });

  it("refuses what does not fit", () => {
    const { attrs, inputs } = addNormGradientCase({ rows: 3, columns: 5, downRank: 2 });
    const shapes = inputs.map(({ shape }) => shape);
    const messages = [
      "matrix",
      "dxa is",
      "theta [4] ends before element 13",
      "h is",
      "aux is",
      "gain is",
      "dh is",
    ];
    messages.forEach((message, index) => {
      const changed = shapes.map((shape, place) => (place === index ? [4] : shape));
      expect(() => addNormGradientOp.outputShapes(changed, attrs)).toThrow(message);
    });
  });
});

describe("addNorm and its gradients", () => {
  it.each([
    { upRank: 4, downRank: 12 },
    { upRank: 0, downRank: 0 },
  ])("are the tape's chain of add, matmul and rmsNorm with ranks %o", async ({ upRank, downRank }) => {
    const [rows, columns, epsilon, loraScale] = [5, 24, 1e-5, 2];
    const values = (seed: number, shape: number[]): Tensor => tensor(randomValues(seed, shape), shape);
    const [a, b] = [randomValues(1, [downRank, columns]), randomValues(2, [columns, upRank])];
    const x = values(3, [rows, columns]);
    const y0 = values(4, [rows, columns]);
    const gain = values(5, [columns]);
    const ya = upRank > 0 ? values(6, [rows, upRank]) : undefined;
    const dh = values(7, [rows, columns]);
    const dxn0 = values(8, [rows, columns]);
    const dxa = downRank > 0 ? values(9, [rows, downRank]) : undefined;

    const chain = valueAndVjp(
      () => {
        const plain = add(x, y0);
        const b2 = tensor(b, [columns, upRank]);
        const h = ya === undefined ? plain : add(plain, matmul(ya, b2, { form: "abt", scale: loraScale }));
        const [xn, rstd] = run(rmsNormOp, [h, gain], { epsilon });
        const xa = downRank > 0 ? [matmul(xn!, tensor(a, [downRank, columns]), { form: "abt" })] : [];
        return [h, xn!, rstd!, ...xa];
      },
      [x, gain],
      [dh, dxn0, undefined, dxa],
    );
    const [h, xn, rstd, xa] = await Promise.all(chain.values.map(read));
    const [dx, dgain] = await Promise.all(chain.gradients.map(read));

    const theta = tensor([...a, ...b, 0], [a.length + b.length + 1]);
    const options = { epsilon, loraScale, downRank, aOffset: 0, bOffset: a.length };
    const made = addNorm({ x, y0, ya, gain, theta }, options);
    checkClose(await read(made.h), h, { label: "h", tolerance: 1e-6 });
    checkClose(await read(made.xn), xn, { label: "xn", tolerance: 1e-6 });
    const aux = await read(made.aux);
    const column = (offset: number, width: number): number[] =>
      Array.from({ length: rows * width }, (_, index) => {
        const row = Math.floor(index / width);
        return aux[row * (1 + downRank) + offset + (index % width)]!;
      });
    checkClose(Float32Array.from(column(0, 1)), rstd, { label: "rstd", tolerance: 1e-6 });
    if (downRank > 0)
      checkClose(Float32Array.from(column(1, downRank)), xa, { label: "xa", tolerance: 1e-6 });

    addNormGradient({ dxn0, dxa, theta, h: made.h, aux: made.aux, gain, dh });
    checkClose(await read(dh), dx, { label: "dh", tolerance: 1e-5 });
    if (downRank > 0) return;
    const dgains = addNormGainGradient(dxn0, made.h, made.aux);
    checkClose(await read(dgains), dgain, { label: "dgain", tolerance: 1e-5 });
  });

  it("hand back x itself when nothing is added", () => {
    tidy(() => {
      const x = tensor([1, 2], [1, 2]);
      const { h, aux } = addNorm({ x, gain: tensor([1, 1], [2]) }, { epsilon: 1e-5 });
      expect(h).toBe(x);
      expect(aux.shape).toEqual([1, 1]);
    });
  });
});
