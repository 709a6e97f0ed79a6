import { describe, expect, it } from "vitest";
import { openSafetensors, type NamedArray } from "../files/safetensors.ts";
import type { StoredTensor } from "../files/storedTensors.ts";
import { floatToHalf, halfToFloat } from "../kernels/weightLayout/half.ts";
import { readGolden } from "../testing/fixtures.ts";
import { goldenNames, readGoldenModel } from "../testing/goldenModels.ts";
import { checkpointShapes, openCheckpoint, openStoredCheckpoint, toCheckpoint } from "./checkpoint.ts";
import { expectedShapes } from "./parameterNames.ts";

const FILE = "model.safetensors";

async function allOf(name: string) {
  const { config, stored } = await readGoldenModel(name);
  const opened = openCheckpoint(config, stored, FILE);
  const arrays = new Map<string, NamedArray>();
  for (const [parameter, shape] of expectedShapes(config)) {
    const array = opened.get(parameter);
    expect(array?.shape, parameter).toEqual(shape);
    if (array !== undefined) arrays.set(parameter, array);
  }
  return { config, stored, arrays };
}

/** A tensor of a file of 16-bit floats. */
function halvesOf({ shape, values }: NamedArray): StoredTensor {
  const halves = Uint16Array.from(values, floatToHalf);
  return {
    shape,
    type: "F16",
    bytes: halves.byteLength,
    read: () => Promise.resolve(new Uint8Array(halves.buffer)),
    values: () => Promise.resolve(Float32Array.from(halves, halfToFloat)),
  };
}

describe("a checkpoint", () => {
  it.each(goldenNames)("of %s is written as it was read", async (name) => {
    const { config, stored, arrays } = await allOf(name);
    const written = toCheckpoint(config, arrays);
    expect([...written.keys()].sort()).toEqual([...stored.keys()].sort());
    for (const [parameter, { shape, values }] of stored) {
      expect(written.get(parameter)?.shape, parameter).toEqual(shape);
      const again = written.get(parameter)?.values ?? [];
      // Gemma's gains lose their last bits in 1 + w.
      values.forEach((value, index) => expect(Math.abs(value - (again[index] ?? NaN))).toBeLessThan(1e-6));
    }
  });

  it.each(goldenNames)("of %s is read from its file as it is from memory", async (name) => {
    const { config, stored } = await readGoldenModel(name);
    const file = await openSafetensors(await readGolden(`${name}/model.safetensors`), FILE);
    const [opened, whole] = [openStoredCheckpoint(config, file, FILE), openCheckpoint(config, stored, FILE)];
    expect([...opened.keys()]).toEqual([...expectedShapes(config).keys()]);
    for (const [parameter, tensor] of opened) {
      const { shape, values } = whole.get(parameter)!;
      expect(tensor.shape).toEqual(shape);
      expect(await tensor.values(), parameter).toEqual(values);
      expect(tensor.type).toBe("F32");
      expect(new Float32Array((await tensor.read()).slice().buffer), parameter).toEqual(values);
    }
  });

  it.each(goldenNames)("of %s in 16 bits gives the bytes of its values", async (name) => {
    const { config, stored } = await readGoldenModel(name);
    const halves = new Map([...stored].map(([each, array]) => [each, halvesOf(array)]));
    for (const [parameter, tensor] of openStoredCheckpoint(config, halves, FILE)) {
      const [read, values] = [await tensor.read(), await tensor.values()];
      // What is not said right here is cut off, or read as zeros, where rows are taken out of the bytes.
      expect(read.length, parameter).toBe(tensor.bytes);
      const found =
        tensor.type === "F32"
          ? new Float32Array(read.slice().buffer)
          : Float32Array.from(new Uint16Array(read.slice().buffer), halfToFloat);
      expect(found, parameter).toEqual(values);
    }
  });

  it("may leave out GPT-2's first name, and hold masks", async () => {
    const { config, stored } = await readGoldenModel("gpt2");
    const older = new Map([...stored].map(([name, array]) => [name.replace(/^transformer\./, ""), array]));
    older.set("h.0.attn.bias", { shape: [1, 1, 2, 2], values: new Float32Array(4) });
    const name = "model.layers.1.mlp.up_proj.weight";
    expect(openCheckpoint(config, older, FILE).get(name)).toEqual(
      openCheckpoint(config, stored, FILE).get(name),
    );
  });

  it("takes queries, keys and values from their rows of GPT-NeoX's heads", async () => {
    const { config, stored } = await readGoldenModel("gpt_neox");
    const fused =
      stored.get("gpt_neox.layers.0.attention.query_key_value.bias")?.values ?? new Float32Array();
    const keys = openCheckpoint(config, stored, FILE).get("model.layers.0.self_attn.k_proj.bias")?.values;
    const { headDim } = config;
    // Head 1 begins after the three parts of head 0.
    expect(keys?.subarray(headDim, 2 * headDim)).toEqual(fused.subarray(4 * headDim, 5 * headDim));
  });

  it("is refused by the names and shapes that its own file has", async () => {
    const { config, stored } = await readGoldenModel("gpt2");
    const name = "transformer.h.0.attn.c_attn.weight";
    expect(checkpointShapes(config).get(name)).toEqual([24, 72]);
    const without = new Map([...stored].filter(([each]) => each !== name));
    expect(() => openCheckpoint(config, without, FILE)).toThrow(`the weight "${name}" is missing`);
    const misshapen = new Map([...stored, [name, { shape: [72, 24], values: new Float32Array(72 * 24) }]]);
    expect(() => openCheckpoint(config, misshapen, FILE)).toThrow(
      "has shape [72, 24], config.json asks for [24, 72]",
    );
    const more = new Map([
      ...stored,
      ["transformer.h.0.attn.c_new.weight", { shape: [1], values: Float32Array.of(1) }],
    ]);
    expect(() => openCheckpoint(config, more, FILE)).toThrow("is not part of a gpt2 model");
  });
});
