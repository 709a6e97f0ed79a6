import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { patched } from "../../files/gguf/ggufFile.testing.ts";
import { readGgufHeader } from "../../files/gguf/header.ts";
import { floatToHalf, halfToFloat } from "../../kernels/weightLayout/half.ts";
import { readGoldenModel } from "../../testing/goldenModels.ts";
import type { ModelConfig } from "../config.ts";
import { lazily, tinyTokenizer, usualScale, writeGolden } from "./ggufModel.testing.ts";
import { ggufFamilies } from "./families.ts";
import { openGguf } from "./openGguf.ts";
import { openTensors } from "./openTensors.ts";
import { interleaveRows, separateRows } from "./rowOrder.ts";
import { writeModelGguf } from "./writeModel.ts";

const FILE = "tiny.gguf";

/** Golden models that llama.cpp knows, with what has to change for it. */
const known: [name: string, change?: (config: ModelConfig) => Partial<ModelConfig>][] = [
  ["llama-llama3"],
  ["llama-linear"],
  ["qwen2", () => ({ layerPattern: [{ window: null, rope: "main" }] })],
  ["qwen3", () => ({ layerPattern: [{ window: null, rope: "main" }] })],
  ["gemma2", usualScale],
  ["gemma3_text", usualScale],
];

async function write(name: string, weights: "F32" | "F16" = "F32") {
  const change = known.find(([each]) => each === name)?.[1];
  const { config } = await readGoldenModel(name);
  return writeGolden(name, { change: change?.(config) ?? {}, weights });
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await openGguf(bytes, FILE).catch((reason: unknown) => reason);
  if (error instanceof FileFormatError) return error.message;
  throw new Error(`not refused: ${String(error)}`);
}

describe("models in GGUF", () => {
  it.each(known)("gives back %s: configuration, names, rows and gains", async (name) => {
    const { config, stored, bytes } = await write(name);
    const opened = await openGguf(new Blob([bytes]), FILE);
    expect(opened.config).toEqual({ ...config, layerPattern: opened.config.layerPattern });
    const patternOf = ({ layerPattern }: ModelConfig) =>
      Array.from({ length: config.layers }, (_, layer) => layerPattern[layer % layerPattern.length]);
    expect(patternOf(opened.config)).toEqual(patternOf(config));
    expect([...opened.tensors.keys()].toSorted()).toEqual([...stored.keys()].toSorted());
    for (const [tensorName, { shape, values }] of stored) {
      const tensor = opened.tensors.get(tensorName);
      expect(tensor?.shape, tensorName).toEqual(shape);
      const found = (await tensor?.values()) ?? [];
      // A gain that 1 was added to and taken from has lost some bits.
      const tolerance = name.startsWith("gemma") && tensorName.endsWith("norm.weight") ? 2 ** -23 : 0;
      const worst = values.reduce((most, value, index) => Math.max(most, Math.abs(value - found[index]!)), 0);
      expect(worst, tensorName).toBeLessThanOrEqual(tolerance);
      expect((await tensor?.read())?.length, tensorName).toBe(tensor?.bytes);
    }
    expect(opened.description).toEqual({
      name: "Tiny",
      license: "apache-2.0",
      baseModel: "someone/tiny",
      sizeLabel: null,
    });
  });

  it("stores F16 matrices and F32 vectors", async () => {
    const { stored, bytes } = await write("qwen2", "F16");
    const { tensors } = await openGguf(bytes, FILE);
    for (const [name, tensor] of tensors) {
      const values = stored.get(name)?.values ?? new Float32Array();
      expect(tensor.type, name).toBe(tensor.shape.length === 1 ? "F32" : "F16");
      const expected =
        tensor.type === "F16" ? values.map((value) => halfToFloat(floatToHalf(value))) : values;
      expect(await tensor.values(), name).toEqual(expected);
    }
  });

  it("writes the names and numbers that llama.cpp reads", async () => {
    const { bytes } = await write("gemma3_text");
    const { metadata, tensors } = await readGgufHeader(bytes, FILE);
    const names = tensors.map(({ name }) => name);
    expect(names).toContain("token_embd.weight");
    expect(names).not.toContain("output.weight");
    for (const own of ["attn_q_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm", "ffn_gate"])
      expect(names).toContain(`blk.0.${own}.weight`);
    expect(metadata.get("general.architecture")).toBe("gemma3");
    expect(metadata.get("gemma3.attention.sliding_window_pattern")).toBe(3);
    expect(metadata.get("gemma3.rope.scaling.type")).toBe("linear");
    const llama = await readGgufHeader((await write("llama-llama3")).bytes, FILE);
    expect(llama.tensors[0]).toMatchObject({ name: "rope_freqs.weight", shape: [4], type: "F32" });
    expect(llama.metadata.has("llama.rope.scaling.type")).toBe(false);
  });

  it("moves rows between the two orders of rotary positions", () => {
    // Two heads of 4: in each, rows 0 1 | 2 3 become 0 2 1 3.
    const rows = Uint8Array.of(0, 1, 2, 3, 10, 11, 12, 13);
    const heads = { heads: 2, headDim: 4 };
    expect([...interleaveRows(rows, heads)]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
    expect([...separateRows(interleaveRows(rows, heads), heads)]).toEqual([...rows]);
    // One head of 6, rows of 2 bytes: 0 1 2 | 3 4 5 become 0 3 1 4 2 5.
    const pairs = Uint8Array.from({ length: 12 }, (_, index) => index);
    expect([...interleaveRows(pairs, { heads: 1, headDim: 6 })]).toEqual([
      0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11,
    ]);
  });

  it("reads some rows alone, also of queries", async () => {
    const { config, stored, bytes } = await write("llama-linear");
    const { tensors } = await openGguf(bytes, FILE);
    for (const name of ["model.embed_tokens.weight", "model.layers.1.self_attn.q_proj.weight"]) {
      const part = tensors.get(name)?.rows?.(3, 11);
      expect(part?.shape).toEqual([8, config.hiddenSize]);
      const whole = stored.get(name)?.values;
      expect(await part?.values()).toEqual(whole?.subarray(3 * config.hiddenSize, 11 * config.hiddenSize));
    }
    expect(() => tensors.get("model.embed_tokens.weight")?.rows?.(41, 42)).toThrow(RangeError);
  });
});

describe("openGguf refuses", () => {
  it("families, mixtures and parts that it does not read", async () => {
    const { bytes } = await write("qwen2");
    const at = (text: string) => Buffer.from(bytes).indexOf(text);
    const architecture = at("qwen2");
    expect(await refusal(patched(bytes, architecture, [...Buffer.from("qwen9")]))).toBe(
      `${FILE}: general.architecture is "qwen9"; GGUF files are read of: llama, qwen2, qwen3, gemma2, gemma3.`,
    );
    const renamed = (from: string, to: string) => refusal(patched(bytes, at(from), [...Buffer.from(to)]));
    // Keys of the same length take the place of others.
    expect(await renamed("qwen2.block_count", "qwen2.expert_coun")).toContain("qwen2.block_count is missing");
    expect(await renamed("blk.0.ffn_up", "blk.0.ffn_xx")).toContain(
      '"blk.0.ffn_xx.weight" is not part of a qwen2',
    );
    expect(await renamed("blk.1.ffn_up", "blk.7.ffn_up")).toContain('mlp.up_proj.weight" is missing');
    expect(await renamed("token_embd", "token_xxxx")).toContain("no matrix token_embd.weight");
  });

  it("biases in blocks, whose values cannot be put back in order", async () => {
    const { config } = await readGoldenModel("llama-linear");
    const llama = ggufFamilies.find(({ name }) => name === "llama")!;
    const open = (type: "Q8_0" | "F16") => {
      const bias = { name: "blk.0.attn_q.bias", shape: [config.heads * config.headDim], type };
      return openTensors(
        { bytes: new Uint8Array(), file: FILE },
        [{ ...bias, begin: 0, end: 34 }],
        llama,
        config,
      );
    };
    expect(() => open("Q8_0")).toThrow('the vector "blk.0.attn_q.bias" is stored as Q8_0, expected F32');
    expect(open("F16").size).toBe(1);
  });

  it("a tokenizer that it cannot build", async () => {
    const { bytes } = await write("qwen2");
    const at = Buffer.from(bytes).indexOf("gpt-2");
    expect(await refusal(patched(bytes, at, [...Buffer.from("gpt-9")]))).toContain(
      'tokenizer.ggml.pre is "gpt-9", expected one of gpt-2, default, llama-bpe',
    );
  });

  it("or opens whatever bytes are changed in a header, and never fails otherwise", async () => {
    const { bytes } = await write("llama-llama3");
    const { tensors } = await readGgufHeader(bytes, FILE);
    const headerBytes = Math.min(...tensors.map(({ begin }) => begin)) + 16;
    const change = fc.tuple(
      fc.nat(headerBytes - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0xff)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const copy = Uint8Array.from(bytes);
        for (const [at, value] of changes) copy[at] = value;
        const opened: unknown = await openGguf(copy, FILE).catch((error: unknown) => error);
        if (opened instanceof Error && !(opened instanceof FileFormatError)) throw opened;
      }),
      { numRuns: 300 },
    );
  });
});

describe("writeModelGguf refuses", () => {
  const write = async (name: string, change: Partial<ModelConfig> = {}) => {
    const { config, stored } = await readGoldenModel(name);
    return () =>
      writeModelGguf({
        config: { ...config, ...change },
        tensors: lazily(stored),
        tokenizerFiles: tinyTokenizer(config.vocabularySize),
        weights: "F16",
        description: { name: "Tiny" },
      });
  };

  it("what llama.cpp would compute otherwise, with the reason", async () => {
    const cases: [string, Partial<ModelConfig>, string][] = [
      ["gpt2", {}, "the architecture is gpt2, GGUF is written for llama, qwen2"],
      ["smollm3", {}, "the architecture is smollm3"],
      ["gemma2", {}, "llama.cpp by the root of"],
      ["gemma3_text-layers", { attentionScale: 8 ** -0.5, headDim: 8 }, "the order of its layers"],
      ["qwen2", {}, "no sliding window for qwen2"],
      ["qwen3", { hasQkvBias: true }, "no such biases"],
      ["llama-linear", { layers: 9 }, 'The weight "model.layers.3.'],
    ];
    for (const [name, change, message] of cases) expect(await write(name, change), name).toThrow(message);
  });
});
