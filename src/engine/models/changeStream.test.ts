/** What changes the stream between two layers, in both kinds of pass. */
import { beforeEach, describe, expect, it } from "vitest";
import { flatBatch } from "../data/batch.ts";
import { steerPass } from "../generation/steering.ts";
import { encodeFeatures, uploadSae, type SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { dispose, memory, read } from "../tensor/run.ts";
import { compare, openTestDevice, randomValues } from "../tensor/testing.ts";
import { createTinyModel, tinyConfig } from "../testing/tinyModel.ts";
import { uploadBatch } from "../training/deviceBatch.ts";
import { createPolicy } from "../training/policy.ts";
import { randomAdapter, tinyRun, tinySae } from "../training/tinyRun.testing.ts";
import { canFuse, fusedPass } from "./fusedPass.ts";
import type { DecoderPass, PassSetup } from "./pass.ts";
import { tapedPass } from "./tapedPass.ts";

type Open = (setup: PassSetup) => DecoderPass;
/** What happens between two layers, and the tokens of the rows. */
type Between = (pass: DecoderPass, rows: PassSetup["rows"]["tokenIds"]) => void;

const tokens = Int32Array.of(1, 7, 12, 30, 8, 9);
const TOLERANCE = 1e-5;

beforeEach(() => openTestDevice("cpu"));

/** Streams after both layers of the tiny model with adapters, with `between` after the first. */
async function streams(open: Open, between: Between): Promise<Float32Array[]> {
  const { model, dispose: close } = createTinyModel();
  const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 4));
  const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: 1 }]));
  const setup: PassSetup = { model, weights: policy.weights, rows: batch.rows, keeps: "nothing" };
  expect(canFuse(setup)).toBe(true);
  const before = memory().numTensors;
  const pass = open(setup);
  pass.embed();
  pass.forward(0);
  between(pass, batch.rows.tokenIds);
  const first = pass.residual();
  pass.forward(1);
  const last = pass.stream();
  const found = await Promise.all([first, last].map(read));
  dispose([first, last]);
  pass.dispose();
  expect(memory().numTensors).toBe(before);
  batch.dispose();
  policy.dispose();
  close();
  return found.map((values) => Float32Array.from(values));
}

function expectNear(actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  actual.forEach((values, index) => {
    compare(values, expected[index], { label: `stream ${index}`, tolerance: TOLERANCE });
  });
}

/** The encoder's rows are orthonormal and the decoder's are the same, so that We_j Wd_j = 1. */
function orthonormalSae(): SparseAutoencoder {
  const { hiddenSize: size } = tinyConfig;
  const rows = Float32Array.from({ length: size * size }, (_, place) =>
    Math.floor(place / size) === place % size ? 1 : 0,
  );
  const arrays = {
    inputSize: size,
    width: size,
    layer: 0,
    hook: "blocks.0.hook_resid_post",
    modelName: null,
    encoder: rows,
    bias: randomValues(6, [size], 0.1),
    threshold: new Float32Array(size),
    decoder: rows,
    decoderBias: new Float32Array(size),
  };
  return uploadSae(arrays, { needsDecoder: true });
}

describe("a stream that is changed between two layers", () => {
  it.each(["add", "clamp"] as const)("is the same fused and on the tape: %s", async (mode) => {
    const sae = tinySae();
    const steering = { sae, feature: 5, mode, value: 1.5, startToken: 1 };
    const steer: Between = (pass, ids) => steerPass(pass, ids, steering);
    const taped = await streams(tapedPass, steer);
    expectNear(await streams(fusedPass, steer), taped);
    const plain = await streams(tapedPass, () => {});
    expect(() => expectNear(taped, plain)).toThrow("stream 0");
    // The start of the text sees itself alone, and is left as it was.
    expect(taped[1]!.subarray(0, 16)).toEqual(plain[1]!.subarray(0, 16));
    sae.dispose();
  });

  it.each([
    ["fused", fusedPass],
    ["on the tape", tapedPass],
  ] as const)("is bit for bit what it was when nothing is added, %s", async (_, open) => {
    const sae = tinySae();
    const steering = { sae, feature: 5, mode: "add", value: 0, startToken: null } as const;
    expect(await streams(open, (pass, ids) => steerPass(pass, ids, steering))).toEqual(
      await streams(open, () => {}),
    );
    sae.dispose();
  });

  it("has the clamped activation at every row that had the feature, and the value beside a bias elsewhere", async () => {
    const sae = orthonormalSae();
    const [feature, value] = [2, 4];
    const steering = { sae, feature, mode: "clamp", value, startToken: null } as const;
    const pre = async (between: Between) => {
      const [stream = new Float32Array()] = await streams(tapedPass, between);
      const bias = await read(sae.bias);
      return Array.from(tokens, (_, row) => stream[16 * row + feature]! + bias[feature]!);
    };
    const before = await pre(() => {});
    const after = await pre((pass, ids) => steerPass(pass, ids, steering));
    expect(before.some((each) => each > 0) && before.some((each) => each < 0)).toBe(true);
    // Where the feature was off its pre-activation was below 0, and all of the value is added to that.
    after.forEach((each, row) => expect(each).toBeCloseTo(value + Math.min(0, before[row]!), 5));
    sae.dispose();
  });

  it("is re-encoded as the clamped value right behind the layer", async () => {
    const sae = orthonormalSae();
    const codes: number[] = [];
    await streams(fusedPass, (pass, ids) => {
      steerPass(pass, ids, { sae, feature: 2, mode: "clamp", value: 4, startToken: null });
      steerPass(pass, ids, { sae, feature: 2, mode: "clamp", value: 2.5, startToken: null });
      const stream = pass.residual();
      const activations = encodeFeatures(sae, stream);
      dispose(stream);
      void read(activations).then((values) => codes.push(...values));
      dispose(activations);
    });
    // The first turned it on wherever it was not far below 0; the second finds it on, and sets it exactly.
    const own = codes.filter((_, place) => place % 16 === 2);
    expect(own).toHaveLength(tokens.length);
    own.forEach((each) => expect(each).toBeCloseTo(2.5, 5));
    sae.dispose();
  });

  it("is refused where something is kept for a way back", () => {
    const { model, dispose: close } = createTinyModel();
    const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: 1 }]));
    const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 4));
    for (const open of [fusedPass, tapedPass]) {
      const pass = open({ model, weights: policy.weights, rows: batch.rows, keeps: "layerInputs" });
      pass.embed();
      expect(() => pass.changeStream(() => {})).toThrow("keeps layerInputs cannot be changed");
      pass.dispose();
    }
    batch.dispose();
    policy.dispose();
    close();
  });
});
