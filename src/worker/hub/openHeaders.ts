/** The headers of a model's files: what it is, before any of its weights is read. */
import { readRange, sizeOf, type FileBytes } from "../../engine/files/fileBytes.ts";
import { FileFormatError } from "../../engine/files/fileFormatError.ts";
import { openSafetensors } from "../../engine/files/safetensors.ts";
import { openShards, shardIndexName } from "../../engine/files/safetensorsShards.ts";
import { readModelConfig, type ModelConfig } from "../../engine/models/config.ts";
import { openGguf } from "../../engine/models/gguf/openGguf.ts";
import type { StoredTensors } from "../../engine/files/storedTensors.ts";

/** A file of a model, of which only what is needed is read. */
export interface OpenFile {
  readonly name: string;
  readonly bytes: FileBytes;
}

/** What the headers say. */
export interface ModelHeaders {
  readonly config: ModelConfig;
  readonly tensors: StoredTensors;
  /** The file that messages about the tensors name. */
  readonly file: string;
  /** Whether a GGUF file brings a chat template; other files have it beside them. */
  readonly hasChatTemplate: boolean;
}

/** More of a small file is not read. */
const MOST_TEXT_BYTES = 4 << 20;

/** Opens `config.json` with its safetensors, or one GGUF file. Throws `FileFormatError` for what cannot be loaded. */
export async function openHeaders(files: readonly OpenFile[]): Promise<ModelHeaders> {
  const gguf = files.find(({ name }) => name.endsWith(".gguf"));
  if (gguf !== undefined) {
    const { config, tensors, tokenizerFiles } = await openGguf(gguf.bytes, gguf.name);
    const { chat_template: template } = tokenizerFiles.tokenizerConfig as { chat_template?: unknown };
    return { config, tensors, file: gguf.name, hasChatTemplate: typeof template === "string" };
  }
  const byName = new Map(files.map(({ name, bytes }) => [name, bytes]));
  const json = await readJson(need(byName, "config.json"), "config.json");
  const method = quantizationOf(json);
  if (method !== null)
    throw new FileFormatError(
      "FIL-1",
      "config.json",
      `the weights are quantised with ${method}, which is not read here. Choose the full weights, or a GGUF file.`,
    );
  const config = readModelConfig(json, "config.json");
  const index = byName.get(shardIndexName);
  if (index !== undefined)
    return {
      config,
      tensors: await openShards(index, async (name) => byName.get(name)),
      file: shardIndexName,
      hasChatTemplate: false,
    };
  const file = "model.safetensors";
  return { config, tensors: await openSafetensors(need(byName, file), file), file, hasChatTemplate: false };
}

function need(files: ReadonlyMap<string, FileBytes>, name: string): FileBytes {
  const bytes = files.get(name);
  if (bytes === undefined) throw new FileFormatError("FIL-1", name, "it is not among the files.");
  return bytes;
}

/** Reads a small file of JSON. Throws `FileFormatError`. */
export async function readJson(bytes: FileBytes, name: string): Promise<unknown> {
  const size = sizeOf(bytes);
  if (size > MOST_TEXT_BYTES)
    throw new FileFormatError("FIL-1", name, `it has ${size} bytes, expected at most ${MOST_TEXT_BYTES}.`);
  const text = new TextDecoder().decode(await readRange(bytes, 0, size));
  try {
    return JSON.parse(text);
  } catch {
    throw new FileFormatError("FIL-1", name, "it is not JSON.");
  }
}

/** Weights quantised for other programs, such as GPTQ; null where they are not. */
function quantizationOf(json: unknown): string | null {
  const { quantization_config: settings } = (json ?? {}) as { quantization_config?: unknown };
  const { quant_method: method } = (settings ?? {}) as { quant_method?: unknown };
  return typeof method === "string" ? method.toUpperCase() : null;
}
