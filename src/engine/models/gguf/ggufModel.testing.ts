/** Golden models written as GGUF files, for tests only. */
import { collect } from "../../files/gguf/ggufFile.testing.ts";
import type { NamedArray } from "../../files/safetensors.ts";
import { readGoldenModel } from "../../testing/goldenModels.ts";
import type { TokenizerFiles } from "../../tokenizer/tokenizer.ts";
import type { NamedArrays } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { writeModelGguf, type GgufExport } from "./writeModel.ts";

/** A byte-level tokenizer of so many tokens: an unknown one, BOS, EOS, and single bytes. */
export function tinyTokenizer(vocabularySize: number): TokenizerFiles {
  const special = ["<unk>", "<s>", "</s>"];
  const letters = Array.from({ length: vocabularySize - special.length }, (_, index) =>
    String.fromCodePoint(0x21 + index),
  );
  const vocab = Object.fromEntries([...special, ...letters].map((token, id) => [token, id]));
  return {
    tokenizerJson: {
      added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab, merges: [] },
    },
    tokenizerConfig: { bos_token: "<s>", eos_token: "</s>", add_bos_token: true },
  };
}

/** Arrays as a writer asks for them. */
export function lazily(arrays: NamedArrays) {
  const entries = [...arrays].map(([name, { shape, values }]: [string, NamedArray]) => {
    return [name, { shape, values: () => Promise.resolve(values) }] as const;
  });
  return new Map(entries);
}

/** A golden model with a changed configuration, and the file of it. */
export async function writeGolden(
  name: string,
  { change = {}, weights = "F32" }: { change?: Partial<ModelConfig>; weights?: GgufExport["weights"] } = {},
) {
  const golden = await readGoldenModel(name);
  const config = { ...golden.config, ...change };
  const file = writeModelGguf({
    config,
    tensors: lazily(golden.stored),
    tokenizerFiles: tinyTokenizer(config.vocabularySize),
    weights,
    description: { name: "Tiny", license: "apache-2.0", baseModel: "someone/tiny" },
  });
  return { config, stored: golden.stored, bytes: await collect(file) };
}

/** What makes Gemma's golden models such as llama.cpp knows: it takes the scale of attention from the width of a head. */
export function usualScale({ headDim }: Pick<ModelConfig, "headDim">): Partial<ModelConfig> {
  return { attentionScale: headDim ** -0.5 };
}
