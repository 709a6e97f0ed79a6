import { beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../files/safetensors.ts";
import { dispose, memory, read, tensor } from "../tensor/run.ts";
import { openTestDevice, randomValues } from "../tensor/testing.ts";
import { encodeFeatures, loadSae } from "./sparseAutoencoder.ts";

const [inputSize, width] = [3, 5];
const shapes = {
  W_enc: [inputSize, width],
  b_enc: [width],
  W_dec: [width, inputSize],
  b_dec: [inputSize],
  threshold: [width],
};
type Name = keyof typeof shapes;
const values = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], seed) => [name, randomValues(seed + 1, shape)]),
) as Record<Name, Float32Array>;

interface Changes {
  readonly config?: object;
  readonly metadata?: object;
  readonly omitted?: Name;
  readonly shape?: readonly [Name, readonly number[]];
}

function filesOf({ config = {}, metadata = {}, omitted, shape }: Changes = {}) {
  const arrays = Object.entries(shapes).flatMap(([name, own]) => {
    if (name === omitted) return [];
    const changed = shape?.[0] === name ? shape[1] : own;
    const size = changed.reduce((product, length) => product * length, 1);
    return [[name, { shape: changed, values: values[name as Name].slice(0, size) }] as const];
  });
  const written = {
    architecture: "jumprelu",
    d_in: inputSize,
    d_sae: width,
    apply_b_dec_to_input: false,
    metadata: { hook_name: "blocks.2.hook_resid_post", model_name: "tiny", ...metadata },
    ...config,
  };
  return [
    { name: "cfg.json", bytes: new TextEncoder().encode(JSON.stringify(written)) },
    { name: "sae_weights.safetensors", bytes: writeSafetensors(new Map(arrays)) },
  ];
}

/** Activations of two rows in plain float64 loops over the file's own arrays. */
function expectedActivations(hidden: Float32Array, { shifts = false, hasThreshold = true } = {}): number[] {
  return Array.from({ length: 2 * width }, (_, place) => {
    const [row, feature] = [Math.floor(place / width), place % width];
    let pre = values.b_enc[feature]!;
    for (let i = 0; i < inputSize; i++)
      pre +=
        (hidden[row * inputSize + i]! - (shifts ? values.b_dec[i]! : 0)) * values.W_enc[i * width + feature]!;
    return pre > Math.max(hasThreshold ? values.threshold[feature]! : 0, 0) ? pre : 0;
  });
}

async function activationsOf(changes: Changes, hidden: Float32Array): Promise<number[]> {
  const sae = await loadSae(filesOf(changes));
  const stream = tensor(hidden, [2, inputSize]);
  const activations = encodeFeatures(sae, stream);
  const result = [...(await read(activations))];
  dispose([stream, activations]);
  sae.dispose();
  return result;
}

describe("loadSae", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it("reads sizes, place and weights of SAELens 6, and frees them all", async () => {
    const before = memory().numTensors;
    const sae = await loadSae(filesOf(), { needsDecoder: true });
    const { layer, hook, modelName } = sae;
    expect({ inputSize: sae.inputSize, width: sae.width, layer, hook, modelName }).toEqual({
      inputSize,
      width,
      layer: 2,
      hook: "blocks.2.hook_resid_post",
      modelName: "tiny",
    });
    expect([...(await read(sae.decoder!.weight))]).toEqual([...values.W_dec]);
    expect([...(await read(sae.decoder!.bias))]).toEqual([...values.b_dec]);
    sae.dispose();
    const encoderAlone = await loadSae(filesOf());
    expect(encoderAlone.decoder).toBeNull();
    encoderAlone.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it.each([
    { name: "jumprelu", changes: {}, options: {} },
    {
      name: "standard, which needs no thresholds",
      changes: { config: { architecture: "standard" }, omitted: "threshold" },
      options: { hasThreshold: false },
    },
    {
      name: "a stream shifted by the decoder's bias",
      changes: { config: { apply_b_dec_to_input: true } },
      options: { shifts: true },
    },
  ] as const)("computes the activations of $name", async ({ changes, options }) => {
    const hidden = randomValues(9, [2, inputSize], 2);
    const expected = expectedActivations(hidden, options);
    expect(expected.filter((value) => value > 0).length).toBeGreaterThan(2);
    const actual = await activationsOf(changes, hidden);
    expected.forEach((value, place) => expect(actual[place]).toBeCloseTo(value, 5));
  });

  it("takes what goes into a block as what came out of the one before", async () => {
    const sae = await loadSae(filesOf({ metadata: { hook_name: "blocks.8.hook_resid_pre" } }));
    expect(sae.layer).toBe(7);
    sae.dispose();
  });

  it.each<readonly [string, Changes]>([
    ["the tensor b_enc is missing", { omitted: "b_enc" }],
    ["the tensor threshold is missing", { omitted: "threshold" }],
    ["W_enc has the shape [3, 4], and cfg.json asks for [3, 5]", { shape: ["W_enc", [3, 4]] }],
    ["W_enc has the shape [3, 5], and cfg.json asks for [7, 5]", { config: { d_in: 7 } }],
    [
      'architecture is "gated", expected standard, jumprelu or batchtopk',
      { config: { architecture: "gated" } },
    ],
    ['normalize_activations is "layer_norm"', { config: { normalize_activations: "layer_norm" } }],
    ['reshape_activations is "hook_z"', { config: { reshape_activations: "hook_z" } }],
    ["apply_b_dec_to_input is 1", { config: { apply_b_dec_to_input: 1 } }],
    ["d_sae is 0, expected a whole number above 0", { config: { d_sae: 0 } }],
    ['metadata.hook_name is "blocks.2.hook_mlp_out"', { metadata: { hook_name: "blocks.2.hook_mlp_out" } }],
    [
      'metadata.hook_name is "blocks.0.hook_resid_pre"',
      { metadata: { hook_name: "blocks.0.hook_resid_pre" } },
    ],
    [
      "metadata is missing, expected an object as SAELens 6 writes it",
      { config: { metadata: undefined, sae_lens_version: "6.1.0" } },
    ],
  ])("refuses: %s", async (message, changes) => {
    const before = memory().numTensors;
    await expect(loadSae(filesOf(changes))).rejects.toThrow(message);
    expect(memory().numTensors).toBe(before);
  });

  it("names the file that is missing or of no use", async () => {
    const [config, weights] = filesOf();
    await expect(loadSae([config!])).rejects.toThrow("sae_weights.safetensors: the file is missing.");
    await expect(loadSae([weights!])).rejects.toThrow("cfg.json: the file is missing.");
    const noObject = { ...config!, bytes: new Uint8Array([91, 93]) };
    await expect(loadSae([noObject, weights!])).rejects.toThrow("not a JSON object");
    await expect(loadSae([])).rejects.toThrow("sae_weights.safetensors and cfg.json");
  });
});
