import { describe, expect, it } from "vitest";
import { collect } from "../../files/gguf/ggufFile.testing.ts";
import { readSafetensors } from "../../files/safetensors.ts";
import { quantizeGroup } from "../../kernels/weightLayout/quantize.ts";
import { floatToHalf, halfToFloat } from "../../kernels/weightLayout/half.ts";
import { hasFixtures, readFixture, readFixtureText } from "../../testing/fixtures.ts";
import { createTokenizer } from "../../tokenizer/tokenizer.ts";
import { readModelConfig } from "../config.ts";
import { lazily } from "./ggufModel.testing.ts";
import { openGguf } from "./openGguf.ts";
import { writeModelGguf, type GgufExport } from "./writeModel.ts";

const FOLDER = "models/stories260K/hf";

async function readJson(name: string): Promise<unknown> {
  return JSON.parse((await readFixtureText(`${FOLDER}/${name}`)) ?? "null");
}

async function readStories() {
  const bytes = (await readFixture(`${FOLDER}/model.safetensors`)) ?? new Uint8Array();
  return {
    config: readModelConfig(await readJson("config.json"), "config.json"),
    stored: readSafetensors(bytes, "model.safetensors"),
    tokenizerFiles: {
      tokenizerJson: await readJson("tokenizer.json"),
      tokenizerConfig: await readJson("tokenizer_config.json"),
      generationConfig: await readJson("generation_config.json"),
    },
  };
}

async function write(weights: GgufExport["weights"]) {
  const { config, stored, tokenizerFiles } = await readStories();
  const description = { name: "stories260K" };
  const file = writeModelGguf({ config, tensors: lazily(stored), tokenizerFiles, weights, description });
  return { stored, config, opened: await openGguf(new Blob([await collect(file)]), "stories260K.gguf") };
}

/** Values after Q8_0: codes times the scale as a binary16. */
function quantized(values: Float32Array): Float32Array {
  const rounded = new Float32Array(values.length);
  const codes = new Int8Array(32);
  for (let from = 0; from < values.length; from += 32) {
    const { scale } = quantizeGroup({ values, start: from, end: from + 32 }, "q8", codes);
    const stored = halfToFloat(floatToHalf(scale));
    codes.forEach((code, index) => (rounded[from + index] = code * stored));
  }
  return rounded;
}

describe.skipIf(!hasFixtures)("stories260K as GGUF", () => {
  it("keeps its values in F32", async () => {
    const { config, stored, opened } = await write("F32");
    expect(opened.config).toEqual(config);
    for (const [name, tensor] of opened.tensors)
      expect(await tensor.values(), name).toEqual(stored.get(name)?.values);
  });

  it("gives the values of its blocks in Q8_0, rows of queries and keys in their places", async () => {
    const { stored, opened } = await write("Q8_0");
    const names = (type: string) =>
      [...opened.tensors.keys()].filter((name) => opened.tensors.get(name)?.type === type);
    // 172 inputs are no whole blocks.
    expect(names("F16")).toEqual(
      [0, 1, 2, 3, 4].map((layer) => `model.layers.${layer}.mlp.down_proj.weight`),
    );
    expect(names("Q8_0")).toHaveLength(1 + 5 * 6);
    for (const name of names("Q8_0")) {
      const values = stored.get(name)?.values ?? new Float32Array();
      expect(await opened.tensors.get(name)?.values(), name).toEqual(quantized(values));
    }
  });

  it("tokenizes as before, from scores that stand for the order of its merges", async () => {
    const { opened } = await write("F16");
    const original = (await readStories()).tokenizerFiles.tokenizerJson as { model: { merges: unknown } };
    const written = opened.tokenizerFiles.tokenizerJson as { model: { merges: unknown } };
    expect(written.model.merges).toEqual(original.model.merges);
    const tokenizer = createTokenizer(opened.tokenizerFiles);
    const cases = (await readJson("tokenizer_cases.json")) as { text: string; ids: number[] }[];
    expect(cases).toHaveLength(9);
    for (const { text, ids } of cases) {
      expect(tokenizer.encode(text, { addSpecialTokens: true }), text).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    expect(tokenizer).toMatchObject({ vocabularySize: 512, bosTokenId: 1 });
    expect(new Set(tokenizer.stopTokenIds)).toEqual(new Set([1, 2]));
  });
});
