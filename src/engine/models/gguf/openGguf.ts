/** A model in one GGUF file: configuration, weights and tokenizer as a Hugging Face folder would give them. */
import type { FileBytes } from "../../files/fileBytes.ts";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { readGgufHeader, type GgufHeader } from "../../files/gguf/header.ts";
import type { GgufMetadata } from "../../files/gguf/metadata.ts";
import { dequantize } from "../../files/gguf/tensorTypes.ts";
import type { Json } from "../architectures/fields.ts";
import { openStoredCheckpoint } from "../checkpoint.ts";
import { readModelConfig, type ModelConfig } from "../config.ts";
import type { StoredTensors } from "../../files/storedTensors.ts";
import { tokenizerFromGguf } from "../../tokenizer/gguf/fromGguf.ts";
import type { TokenizerFiles } from "../../tokenizer/tokenizer.ts";
import { TokenizerError } from "../../tokenizer/tokenizerError.ts";
import { configFromMetadata, findFamily } from "./configFromMetadata.ts";
import { openTensors, readTensor, ROPE_FACTORS, type GgufSource } from "./openTensors.ts";

/** What a file says of the model to a person; null where it says nothing. */
export interface GgufDescription {
  readonly name: string | null;
  readonly license: string | null;
  /** Address or name of the repository that the model was made from. */
  readonly baseModel: string | null;
  /** Such as "135M". */
  readonly sizeLabel: string | null;
}

/** A file whose header was read and checked; tensors are read when they are asked for. */
export interface OpenedGguf {
  readonly config: ModelConfig;
  /** The same as a config.json. */
  readonly configJson: Json;
  /** By Hugging Face's names; rows and gains as there. */
  readonly tensors: StoredTensors;
  readonly tokenizerFiles: TokenizerFiles;
  readonly description: GgufDescription;
}

function describe(metadata: GgufMetadata): GgufDescription {
  const text = (...keys: string[]) => {
    for (const key of keys) {
      const value = metadata.get(key);
      if (typeof value === "string" && value !== "") return value;
    }
    return null;
  };
  return {
    name: text("general.name", "general.basename"),
    license: text("general.license", "general.license.name"),
    // An address on the Hub is a repository's name.
    baseModel:
      text(
        "general.base_model.0.repo_url",
        "general.base_model.0.name",
        "general.source.huggingface.repository",
        "general.source.repo_url",
        "general.repo_url",
      )?.replace(/^https:\/\/huggingface\.co\//, "") ?? null,
    sizeLabel: text("general.size_label"),
  };
}

async function findFacts(source: GgufSource, { tensors }: GgufHeader) {
  const find = (name: string) => tensors.find((tensor) => tensor.name === name);
  const factors = find(ROPE_FACTORS);
  const embeddings = find("token_embd.weight");
  if (embeddings === undefined || embeddings.shape.length !== 2)
    throw new FileFormatError(
      "FIL-1",
      source.file,
      "it has no matrix token_embd.weight: not a language model.",
    );
  const names = new Set(tensors.map(({ name }) => name));
  return {
    vocabularySize: embeddings.shape[0] ?? 0,
    has: (name: string) => names.has(name),
    ropeFactors: factors === undefined ? null : dequantize(factors.type, await readTensor(source, factors)),
  };
}

function checkWhole(metadata: GgufMetadata, file: string): void {
  const parts = metadata.get("split.count") ?? 0;
  if (parts === 0 || parts === 1) return;
  throw new FileFormatError(
    "FIL-1",
    file,
    `one of ${String(parts)} parts of a model, expected a whole: join them with llama-gguf-split --merge.`,
  );
}

function readTokenizer(
  metadata: GgufMetadata,
  { vocabularySize }: ModelConfig,
  file: string,
): TokenizerFiles {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (Array.isArray(tokens) && tokens.length > vocabularySize)
    throw new FileFormatError(
      "FIL-1",
      file,
      `tokenizer.ggml.tokens has ${tokens.length} tokens, the model's vocabulary has ${vocabularySize}.`,
    );
  try {
    return tokenizerFromGguf(metadata);
  } catch (error) {
    if (error instanceof TokenizerError) throw new FileFormatError("FIL-1", file, error.message);
    throw error;
  }
}

/**
 * Opens a model. Throws `FileFormatError` that names the file, the field, the value and what was expected, for damaged
 * files and for models that would be computed wrongly.
 */
export async function openGguf(bytes: FileBytes, file: string): Promise<OpenedGguf> {
  const source = { bytes, file };
  const header = await readGgufHeader(bytes, file);
  const { metadata, tensors } = header;
  checkWhole(metadata, file);
  const family = findFamily(metadata, file);
  const configJson = configFromMetadata(family, metadata, await findFacts(source, header), file);
  const config = readModelConfig(configJson, file);
  const opened = openTensors(source, tensors, family, config);
  // Refuses what is missing, too much or of another shape.
  openStoredCheckpoint(config, opened, file);
  return {
    config,
    configJson,
    tensors: opened,
    tokenizerFiles: readTokenizer(metadata, config, file),
    description: describe(metadata),
  };
}
