import { beforeAll, describe, expect, it } from "vitest";
import { dispose, read, tensor } from "../../tensor/run.ts";
import { openTestDevice, randomValues } from "../../tensor/testing.ts";
import { reconstruct } from "../reconstruct.ts";
import { uploadSae } from "../sparseAutoencoder.ts";
import { createSaeParameters, foldedSae, unitRows } from "./saeParameters.ts";
import { scaledRows, streamScale } from "./streamScale.ts";

const [rows, inputSize, width] = [9, 4, 6];
const values = randomValues(1, [rows, inputSize], 3).map((value, i) => value + 10 * (i % inputSize));
const stream = { values, width: inputSize };

beforeAll(async () => {
  await openTestDevice("cpu");
});

describe("streamScale", () => {
  it("gives the worked example", () => {
    // Means 2 and 10; deviations ±1 and ±7: (1 + 1 + 49 + 49) / 4 = 25.
    const { mean, deviation } = streamScale({ values: Float32Array.of(1, 3, 3, 17), width: 2 });
    expect([[...mean], deviation]).toEqual([[2, 10], 5]);
    const scale = { mean, deviation };
    const scaled = scaledRows({ values: Float32Array.of(1, 3, 3, 17), width: 2 }, [1, 1, 0], scale);
    expect([...scaled]).toEqual([0.2, 1.4, 0.2, 1.4, -0.2, -1.4].map(Math.fround));
  });

  it("refuses rows that are all the same", () => {
    expect(() => streamScale({ values: Float32Array.of(1, 2, 1, 2), width: 2 })).toThrow(/the 2 rows/);
  });
});

describe("createSaeParameters", () => {
  it("draws directions of length 1 from the seed alone", async () => {
    const drawn = async (seed: number) => {
      const parameters = createSaeParameters({ inputSize, width }, seed);
      const saved = await parametersOf(parameters);
      parameters.dispose();
      return saved;
    };
    const [one, same, other] = [await drawn(1), await drawn(1), await drawn(2)];
    expect(same).toEqual(one);
    expect(other["decoder"]).not.toEqual(one["decoder"]);
    expect(one["encoder"]).toEqual(one["decoder"]);
    for (let row = 0; row < width; row++)
      expect(Math.hypot(...one["decoder"]!.subarray(row * inputSize, (row + 1) * inputSize))).toBeCloseTo(
        1,
        6,
      );
  });
});

async function parametersOf({ trainables }: ReturnType<typeof createSaeParameters>) {
  const saved: Record<string, Float32Array> = {};
  for (const each of trainables) saved[each.name] = Float32Array.from(await read(each.tensor));
  return saved;
}

describe("foldedSae", () => {
  it("does to the stream what the parameters do to the shifted and divided one", async () => {
    const saved = {
      encoder: randomValues(2, [width, inputSize]),
      decoder: randomValues(3, [width, inputSize]),
      encoderBias: randomValues(4, [width]),
      decoderBias: randomValues(5, [inputSize]),
    };
    const scale = streamScale(stream);
    const threshold = 0.4;
    const place = { layer: 1, hook: "blocks.1.hook_resid_post", modelName: "tiny" };
    const arrays = foldedSae(saved, { ...place, sizes: { inputSize, width }, scale, threshold });
    expect(arrays).toMatchObject({ ...place, inputSize, width });
    const sae = uploadSae(arrays, { needsDecoder: true });
    const hidden = tensor(values, [rows, inputSize]);
    const { activations, restored } = reconstruct(sae, hidden);
    const [found, back] = [await read(activations), await read(restored)];
    const unit = unitRows(saved.decoder, inputSize);
    let activeCount = 0;
    for (let row = 0; row < rows; row++) {
      const x = Array.from(
        { length: inputSize },
        (_, i) => (values[row * inputSize + i]! - scale.mean[i]!) / scale.deviation,
      );
      const codes = Array.from({ length: width }, (_, feature) => {
        const pre = x.reduce(
          (sum, value, i) => sum + value * saved.encoder[feature * inputSize + i]!,
          saved.encoderBias[feature]!,
        );
        return pre > threshold ? pre : 0;
      });
      codes.forEach((code, feature) => {
        expect(found[row * width + feature]).toBeCloseTo(scale.deviation * code, 4);
        if (code > 0) activeCount++;
      });
      for (let i = 0; i < inputSize; i++) {
        const rebuilt = codes.reduce(
          (sum, code, feature) => sum + code * unit[feature * inputSize + i]!,
          saved.decoderBias[i]!,
        );
        expect(back[row * inputSize + i]).toBeCloseTo(scale.mean[i]! + scale.deviation * rebuilt, 4);
      }
    }
    // Neither all nor none, so that the threshold tells.
    expect(activeCount).toBeGreaterThan(0);
    expect(activeCount).toBeLessThan(rows * width);
    dispose([hidden, activations, restored]);
    sae.dispose();
  });
});
