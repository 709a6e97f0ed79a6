/** Whole models in every layout on the device: they compute what their rounded weights compute in float32. */
import { beforeEach, expect, it } from "vitest";
import { flatBatch } from "../data/batch.ts";
import type { StoredTensor } from "../files/storedTensors.ts";
import type { Device } from "../tensor/device.ts";
import { probeRoom } from "../tensor/probeRoom.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { blockTensor, plainBytes, roundTrip, stubOf } from "../testing/storedTensors.ts";
import { tinyArrays, tinyConfig } from "../testing/tinyModel.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { scoreBatch } from "../training/scoring.ts";
import { uploadModel } from "./loadModel.ts";
import { disposeWeights, type UploadedWeights } from "./parcels.ts";
import { streamWeights } from "./streamWeights.ts";
import { referenceWeights } from "./weights.ts";

const config = { ...tinyConfig, hiddenSize: 64, headDim: 16, rotaryDims: 16, intermediateSize: 96 };
const arrays = tinyArrays(config);
const TOLERANCE = 1e-4;

let device: Device;
beforeEach(async () => {
  device = await openTestDevice();
});

async function logpsOf(weights: UploadedWeights | null, rounded = arrays): Promise<Float64Array> {
  const { model, dispose } = uploadModel(config, rounded);
  const batch = uploadBatch(flatBatch([{ tokens: Int32Array.of(1, 5, 9, 3, 20, 7), scoredFrom: 1 }]), [null]);
  const changed = { ...model, ...weights };
  const { logps } = await scoreBatch(changed, referenceWeights(changed), batch);
  batch.dispose();
  dispose();
  return logps;
}

it.each([
  ["BF16", "bf16"],
  ["F16", "f16"],
  ["Q8_0", "q8"],
  ["Q4_0", "q4s"],
  ["Q4_1", "q4m"],
] as const)(
  // prettier-ignore
  "kept from %s",
  { timeout: 60_000 },
  async (type, layout) => {
    const stored = [...arrays].map(([name, array]): [string, StoredTensor] => {
      if (array.shape.length < 2) return [name, stubOf(array)];
      const isPlain = type === "BF16" || type === "F16";
      return [name, isPlain ? stubOf(array, type, plainBytes(array.values, type)) : blockTensor(array, type)];
    });
    const before = memory().numTensors;
    const streamed = await streamWeights(config, new Map(stored), "model.safetensors");
    expect(Object.keys(streamed.report.bytesByLayout).toSorted()).toEqual(["f32", layout].toSorted());
    const rounded = new Map(
      [...arrays].map(([name, array]) => [name, { shape: array.shape, values: roundTrip(array, layout) }]),
    );
    const [logps, expected] = [await logpsOf(streamed), await logpsOf(null, rounded)];
    const worst = Math.max(...expected.map((value, index) => Math.abs(value - logps[index]!)));
    expect(worst).toBeLessThan(TOLERANCE);
    disposeWeights(streamed);
    expect(memory().numTensors).toBe(before);
  },
);

it("asks the device for room and gives it back", async () => {
  const bytes = 300 * 2 ** 20;
  expect(await probeRoom(device, bytes)).toBe(bytes);
  expect(device.takeErrors()).toEqual([]);
});
