import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { compare, openTestDevice, parity, randomValues } from "../../tensor/testing.ts";
import { addNorm, addNormOp } from "./addNorm.ts";
import { addNormCase, addNormGradientCase } from "./addNormCase.testing.ts";
import { addNormGainGradientOp, addNormGradient, addNormGradientOp } from "./addNormGradient.ts";

const cases = [
  { rows: 1, columns: 1, upRank: 1, downRank: 1 },
  { rows: 3, columns: 65, hasAdd: true },
  { rows: 37, columns: 17, upRank: 3, downRank: 5 },
  { rows: 6, columns: 8, downRank: 24, isVector: true },
  { rows: 130, columns: 96, upRank: 8, downRank: 24, isVector: true },
  { rows: 10, columns: 96, hasAdd: true, isVector: true },
  { rows: 9, columns: 576, upRank: 64, downRank: 192, isVector: true },
  { rows: 5, columns: 2048, upRank: 16, downRank: 32, isVector: true },
  { rows: 5, columns: 2048 },
  { rows: 7, columns: 20, upRank: 4, downRank: 272, isVector: true }, // more ranks than lanes
];

describe.each([{ isSerial: false }, { isSerial: true }])("addNorm on WebGPU, %o", ({ isSerial }) => {
  it.each(cases)("has the oracle's values for %o", async (sizes) => {
    const { attrs, inputs } = addNormCase({ ...sizes, isSerial });
    const tolerance = 1e-5 * Math.sqrt(sizes.columns);
    await parity(addNormOp, { name: "addNorm", inputs, attrs, tolerance });
  });

  it.each(cases)("has the oracle's gradient for %o", async (sizes) => {
    const { attrs, inputs } = addNormGradientCase({ ...sizes, isSerial });
    const tolerance = 4e-5 * Math.sqrt(sizes.columns);
    await parity(addNormGradientOp, { name: "addNormGradient", inputs, attrs, tolerance });
  });
});

describe("addNorm on WebGPU", () => {
  it.each([
    { rows: 70_000, columns: 4, downRank: 4, isVector: true, isSerial: true },
    { rows: 1_048_580, columns: 1, isSerial: true }, // more workgroups than one axis holds
  ])("has the oracle's values and gradient for $rows rows", async (sizes) => {
    await parity(addNormOp, { name: "addNorm", ...addNormCase(sizes), tolerance: 1e-5 });
    await parity(addNormGradientOp, { name: "gradient", ...addNormGradientCase(sizes), tolerance: 4e-5 });
  });

  it.each([
    [1, 1],
    [37, 17],
    [640, 96],
    [5, 2048],
    [70_000, 3],
  ])("has the oracle's gradient of the gain for [%i, %i]", async (rows, columns) => {
    const { dxn0, h, aux } = addNormGradientCase({ rows, columns });
    const tolerance = 4e-5 * Math.sqrt(rows);
    await parity(addNormGainGradientOp, { name: "gain", inputs: [dxn0, h, aux], attrs: {}, tolerance });
  });

  it("gives one result, whichever way the wrappers choose", async () => {
    const [rows, columns, rank] = [6, 12, 4];
    const results: Record<string, (Float32Array | Int32Array)[]> = {};
    for (const backend of ["cpu", "webgpu"] as const) {
      await openTestDevice(backend);
      const values = (seed: number, shape: number[]) => tensor(randomValues(seed, shape), shape);
      const theta = values(1, [2 * rank * columns]);
      const gain = values(2, [columns]);
      const [x, y0, dxn0, dh] = [3, 4, 5, 6].map((seed) => values(seed, [rows, columns]));
      const [ya, dxa] = [7, 8].map((seed) => values(seed, [rows, rank]));
      const options = { epsilon: 1e-5, downRank: rank, bOffset: rank * columns };
      const { h, xn, aux } = addNorm({ x: x!, y0, ya, gain, theta }, options);
      addNormGradient({ dxn0: dxn0!, dxa, theta, h, aux, gain, dh: dh! });
      results[backend] = await Promise.all([h, xn, aux, dh!].map(read));
      for (const each of [theta, gain, x!, y0!, dxn0!, dh!, ya!, dxa!, h, xn, aux]) each.dispose();
    }
    expect(results["webgpu"]).toHaveLength(4);
    results["webgpu"]!.forEach((actual, index) =>
      compare(actual, results["cpu"]![index], { label: `result ${index}`, tolerance: 1e-5 }),
    );
  });
});
