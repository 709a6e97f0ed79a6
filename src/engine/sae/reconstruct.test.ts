import { beforeAll, describe, expect, it } from "vitest";
import { dispose, memory, read, tensor } from "../tensor/run.ts";
import { openTestDevice, randomValues } from "../tensor/testing.ts";
import type { SaeArrays } from "./layouts/layout.ts";
import { createVarianceMeter, reconstruct } from "./reconstruct.ts";
import { uploadSae } from "./sparseAutoencoder.ts";

/** Feature 0 reads the first number less 1, feature 1 the second; they write (2, 0) and (1, 3), around (0.5, −0.5). */
const arrays: SaeArrays = {
  inputSize: 2,
  width: 2,
  layer: 0,
  hook: "blocks.0.hook_resid_post",
  modelName: null,
  encoder: Float32Array.of(1, 0, 0, 1),
  bias: Float32Array.of(-1, 0),
  threshold: Float32Array.of(0.5, 0.5),
  decoder: Float32Array.of(2, 0, 1, 3),
  decoderBias: Float32Array.of(0.5, -0.5),
};

describe("reconstruct", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it("gives the worked example, and leaves nothing else behind", async () => {
    const before = memory().numTensors;
    const sae = uploadSae(arrays, { needsDecoder: true });
    // Row 0: activations (2, 1), 2 (2, 0) + 1 (1, 3) + b. Row 1: 0.4 and 0.5 are not above 0.5, so b alone.
    const hidden = tensor(Float32Array.of(3, 1, 1.4, 0.5), [2, 2]);
    const { activations, restored } = reconstruct(sae, hidden);
    expect([activations.shape, restored.shape]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect([...(await read(activations))]).toEqual([2, 1, 0, 0]);
    expect([...(await read(restored))]).toEqual([5.5, 2.5, 0.5, -0.5]);
    dispose([hidden, activations, restored]);
    sae.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it("refuses without a decoder", () => {
    const sae = uploadSae(arrays);
    const hidden = tensor(Float32Array.of(3, 1), [1, 2]);
    expect(() => reconstruct(sae, hidden)).toThrow(/no decoder/);
    hidden.dispose();
    sae.dispose();
  });
});

describe("the meter of unexplained variance", () => {
  it("gives the worked example", () => {
    const meter = createVarianceMeter();
    // The mean is (2, 4): deviations 1 + 4 + 1 + 4 = 10; errors 0.25 + 1 = 1.25.
    meter.add([1, 2, 3, 6], [1.5, 2, 3, 5], 2);
    expect(meter.rows()).toBe(2);
    expect(meter.unexplained()).toBeCloseTo(0.125, 14);
  });

  it("does not depend on how the rows are divided, and sees a small spread around a large mean", () => {
    const [rows, width] = [40, 7];
    const hidden = Float64Array.from(randomValues(1, [rows, width]), (value) => 1e5 + value);
    const restored = Float64Array.from(randomValues(2, [rows, width], 0.3), (noise, i) => hidden[i]! + noise);
    const divided = createVarianceMeter();
    for (const [from, to] of [
      [0, 1],
      [1, 17],
      [17, rows],
    ] as const)
      divided.add(
        hidden.subarray(from * width, to * width),
        restored.subarray(from * width, to * width),
        width,
      );
    let [errors, deviations] = [0, 0];
    for (let column = 0; column < width; column++) {
      let mean = 0;
      for (let row = 0; row < rows; row++) mean += hidden[row * width + column]! / rows;
      for (let row = 0; row < rows; row++) {
        deviations += (hidden[row * width + column]! - mean) ** 2;
        errors += (hidden[row * width + column]! - restored[row * width + column]!) ** 2;
      }
    }
    expect(divided.unexplained() / (errors / deviations)).toBeCloseTo(1, 8);
  });

  it("is 0 for a perfect copy and 1 for the mean", () => {
    const [perfect, constant] = [createVarianceMeter(), createVarianceMeter()];
    perfect.add([1, 5, 9], [1, 5, 9], 1);
    constant.add([1, 5, 9], [5, 5, 5], 1);
    expect([perfect.unexplained(), constant.unexplained()]).toEqual([0, 1]);
  });

  it("knows nothing of fewer than two rows, or of rows that are all the same", () => {
    const meter = createVarianceMeter();
    expect(meter.unexplained()).toBeNaN();
    meter.add([1, 2], [0, 0], 2);
    expect(meter.unexplained()).toBeNaN();
    meter.add([1, 2], [0, 0], 2);
    expect(meter.unexplained()).toBeNaN();
  });

  it("refuses what does not fit", () => {
    const meter = createVarianceMeter();
    expect(() => meter.add([1, 2, 3], [1, 2, 3], 2)).toThrow(/no rows of 2/);
    expect(() => meter.add([1, 2], [1], 2)).toThrow(/cannot be compared with 1/);
    meter.add([1, 2], [1, 2], 2);
    expect(() => meter.add([1, 2, 3], [1, 2, 3], 3)).toThrow(/those before had 2/);
  });
});
