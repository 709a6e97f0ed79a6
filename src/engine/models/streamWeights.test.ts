import { beforeEach, describe, expect, it } from "vitest";
import type { NamedArray } from "../files/safetensors.ts";
import type { StoredTensor } from "../files/storedTensors.ts";
import { flatBatch } from "../data/batch.ts";
import { isPackedWeight, isShardedWeight, tensorsOfWeight } from "../kernels/weightLayout/packedWeight.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { memory, read } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { blockTensor, roundTrip, stubOf } from "../testing/storedTensors.ts";
import { tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import type { BaseWeights } from "../training/config.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { scoreBatch } from "../training/scoring.ts";
import { uploadModel } from "./loadModel.ts";
import { disposeWeights, type UploadedWeights } from "./parcels.ts";
import { streamWeights } from "./streamWeights.ts";
import { uploadWeights } from "./uploadWeights.ts";
import { referenceWeights } from "./weights.ts";

const FILE = "model.safetensors";
/** Rows of whole blocks, of more than one block, and of 80, which fill none. */
const config = { ...tinyConfig, hiddenSize: 64, headDim: 16, rotaryDims: 16, intermediateSize: 80 };
const arrays = tinyArrays(config);
const stubs = new Map([...arrays].map(([name, array]) => [name, stubOf(array)]));
const sequences = [{ tokens: Int32Array.of(1, 5, 9, 3, 20, 7, 33, 40), scoredFrom: 1 }];
const gateUp = ["gate", "up"].map((each) => `model.layers.1.mlp.${each}_proj.weight`);

beforeEach(async () => {
  await openTestDevice("cpu");
});

const isMatrix = ({ shape }: Pick<NamedArray, "shape">) => shape.length === 2;

/** Log-probs of a text under weights of the tiny model. */
async function logpsOf(weights: UploadedWeights): Promise<Float64Array> {
  const { model, dispose } = uploadModel(config, arrays);
  const batch = uploadBatch(flatBatch(sequences), [null]);
  const changed = { ...model, ...weights };
  const { logps } = await scoreBatch(changed, referenceWeights(changed), batch);
  batch.dispose();
  dispose();
  return Float64Array.from(logps);
}

/** The same with matrices that are what a layout makes of them, in float32. */
async function roundedLogps(layout: WeightLayout): Promise<Float64Array> {
  const rounded = [...arrays].map(([name, array]) => [
    name,
    { shape: array.shape, values: roundTrip(array, layout) },
  ]);
  const weights = uploadWeights(config, new Map(rounded as [string, NamedArray][]), { layout: "f32" });
  const logps = await logpsOf(weights);
  disposeWeights(weights);
  return logps;
}

function worst(actual: Float64Array, expected: Float64Array): number {
  return Math.max(...expected.map((value, index) => Math.abs(value - actual[index]!)));
}

const layoutsOf = ({ base }: UploadedWeights) =>
  new Map(
    [...base].map(([name, weight]) => [
      name,
      isShardedWeight(weight) ? weight.shards[0]!.layout : isPackedWeight(weight) ? weight.layout : "f32",
    ]),
  );

describe("a model from its file", () => {
  it("is to the bit what it is from memory", async () => {
    const [streamed, whole] = [
      await streamWeights(config, stubs, FILE),
      uploadWeights(config, arrays, { layout: "f32" }),
    ];
    expect([...streamed.base.keys()]).toEqual([...whole.base.keys()]);
    expect([...streamed.stacks.keys()]).toEqual([...whole.stacks.keys()]);
    for (const [name, weight] of streamed.base) {
      const [values] = await Promise.all(tensorsOfWeight(weight).map(read));
      expect(values, name).toEqual(arrays.get(name)!.values);
    }
    expect(await logpsOf(streamed)).toEqual(await logpsOf(whole));
    expect(streamed.report.rounding).toEqual([]);
    disposeWeights(streamed);
    disposeWeights(whole);
  });

  it.each<readonly [BaseWeights, WeightLayout]>([
    ["f16", "f16"],
    ["q8", "q8"],
    ["q4", "q4m"],
  ])(
    // prettier-ignore
    "in %s computes what its rounded weights compute",
    async (weights, layout) => {
      const streamed = await streamWeights(config, stubs, FILE, { weights });
      for (const [name, found] of layoutsOf(streamed)) {
        expect(found, name).toBe(isMatrix(arrays.get(name)!) ? layout : "f32");
      }
      const [logps, exact] = [await logpsOf(streamed), await roundedLogps("f32")];
      expect(worst(logps, await roundedLogps(layout))).toBeLessThan(1e-5);
      // The rounding is seen at all.
      expect(worst(logps, exact)).toBeGreaterThan(1e-4);
      disposeWeights(streamed);
    },
  );

  it.each([
    ["Q8_0", "q8"],
    ["Q4_0", "q4s"],
    ["Q4_1", "q4m"],
  ] as const)(
    // prettier-ignore
    "keeps blocks of %s as they are",
    async (type, layout) => {
      const name = "model.embed_tokens.weight";
      const blocks = new Map(stubs).set(name, blockTensor(arrays.get(name)!, type));
      const streamed = await streamWeights(config, blocks, FILE);
      const direct = uploadWeights(config, new Map([[name, arrays.get(name)!]]), { layout });
      const [kept] = tensorsOfWeight(streamed.base.get(name)!);
      const [expected] = tensorsOfWeight(direct.base.get(name)!);
      expect(layoutsOf(streamed).get(name)).toBe(layout);
      expect(await read(kept!)).toEqual(await read(expected!));
      expect(streamed.report.rounding).toEqual([]);
      disposeWeights(streamed);
      disposeWeights(direct);
    },
  );

  it("gives a stack the widest layout of its members, and blocks that no kernel reads 16 bits", async () => {
    const [gate, up] = gateUp as [string, string];
    const tensors = new Map(stubs)
      .set(gate, blockTensor(arrays.get(gate)!, "Q4_1"))
      .set(up, blockTensor(arrays.get(up)!, "Q8_0"))
      .set("lm_head.weight", stubOf(arrays.get("lm_head.weight")!, "Q6_K"));
    const streamed = await streamWeights(config, tensors, FILE);
    const layouts = layoutsOf(streamed);
    expect(gateUp.map((name) => layouts.get(name))).toEqual(["q8", "q8"]);
    expect(layouts.get("lm_head.weight")).toBe("f16");
    // Four bits in eight, and six bits in sixteen: only what was rounded again is measured.
    expect(streamed.report.rounding.map(({ layer }) => layer)).toEqual([-1, 1]);
    disposeWeights(streamed);
    const halves = new Map(stubs)
      .set(gate, { ...stubOf(arrays.get(gate)!), type: "F16" })
      .set(up, { ...stubOf(arrays.get(up)!), type: "BF16" });
    const both = await streamWeights(config, halves, FILE);
    expect(gateUp.map((name) => layoutsOf(both).get(name))).toEqual(["f32", "f32"]);
    disposeWeights(both);
  });

  it("comes in shards where one binding does not hold the embedding or the head", async () => {
    const largestBytes = 44 * 64 * 4 * 4;
    const options = { ...config, vocabularySize: 300 };
    const many = tinyArrays(options);
    const tensors = new Map([...many].map(([name, array]) => [name, stubOf(array)]));
    const streamed = await streamWeights(options, tensors, FILE, { weights: "f32", largestBytes });
    const direct = uploadWeights(options, many, { layout: "f32", largestBytes });
    for (const name of ["model.embed_tokens.weight", "lm_head.weight"]) {
      const [own, expected] = [streamed.base.get(name)!, direct.base.get(name)!].map(tensorsOfWeight);
      expect(own!.length).toBe(2);
      expect(await Promise.all(own!.map(read))).toEqual(await Promise.all(expected!.map(read)));
    }
    disposeWeights(streamed);
    disposeWeights(direct);
  });
});

describe("the report of a model", () => {
  it("has the bytes by layout and what rounding changed in every layer", async () => {
    const { report, ...weights } = await streamWeights(config, stubs, FILE, { weights: "q8" });
    const vectors = [...arrays.values()].filter((array) => !isMatrix(array));
    const matrices = [...arrays.values()].filter(isMatrix);
    const groups = (width: number) => Math.ceil(width / 32);
    expect(report.bytesByLayout).toEqual({
      f32: 4 * vectors.reduce((sum, { values }) => sum + values.length, 0),
      q8: matrices.reduce(
        (sum, { shape: [rows = 0, width = 0] }) =>
          sum + rows * (32 * groups(width) + 4 * Math.ceil(groups(width) / 2)),
        0,
      ),
    });
    expect(report.rounding.map(({ layer }) => layer)).toEqual([-1, 0, 1]);
    let [error, square] = [0, 0];
    for (const [name, array] of arrays) {
      if (!name.startsWith("model.layers.1.") || !isMatrix(array)) continue;
      roundTrip(array, "q8").forEach((value, index) => {
        error += (value - array.values[index]!) ** 2;
        square += array.values[index]! ** 2;
      });
    }
    expect(report.rounding[2]!.relativeRms).toBeCloseTo(Math.sqrt(error / square), 9);
    disposeWeights(weights);
  });

  it("tells how far it is in bytes of the file", async () => {
    const told: number[][] = [];
    const onProgress = (done: number, total: number) => told.push([done, total]);
    const weights = await streamWeights(config, stubs, FILE, { onProgress });
    const total = [...stubs.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    expect(told[0]).toEqual([0, total]);
    expect(told.at(-1)).toEqual([total, total]);
    expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).toSorted((a, b) => a! - b!));
    disposeWeights(weights);
  });
});

describe("a loading that fails", () => {
  const failing = (name: string, tensor: Partial<StoredTensor>) =>
    new Map(stubs).set(name, { ...stubs.get(name)!, ...tensor });

  it.each<readonly [string, () => Promise<unknown>, string]>([
    [
      "in a read",
      () =>
        streamWeights(
          config,
          failing("lm_head.weight", { read: () => Promise.reject(new Error("cut")) }),
          FILE,
        ),
      "cut",
    ],
    [
      "in a bias or a norm",
      () =>
        streamWeights(
          config,
          failing("model.norm.weight", { read: () => Promise.reject(new Error("cut")) }),
          FILE,
        ),
      "cut",
    ],
    [
      "at a value that the layout cannot hold",
      () => {
        const array = arrays.get("lm_head.weight")!;
        const large = stubOf({ ...array, values: array.values.with(7, 70_000) });
        return streamWeights(config, failing("lm_head.weight", large), FILE, { weights: "f16" });
      },
      'model.safetensors: "lm_head.weight" holds the value 70000, which f16 cannot',
    ],
    [
      "because it is told to",
      () => {
        const control = new AbortController();
        const onProgress = (done: number) => {
          if (done > 0) control.abort(new Error("enough"));
        };
        return streamWeights(config, stubs, FILE, { onProgress, signal: control.signal });
      },
      "enough",
    ],
    [
      "because a matrix is too large",
      () => streamWeights(config, stubs, FILE, { largestBytes: 3000 }),
      "this device reads at most 0.003 MB at once",
    ],
  ])("%s leaves nothing on the device", async (_, load, words) => {
    const before = memory().numTensors;
    await expect(load()).rejects.toThrow(words);
    expect(memory().numTensors).toBe(before);
  });
});
