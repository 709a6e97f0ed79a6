/** Small repositories of every kind, with contents that only a model's headers need to be right. */
import type { HubRepository } from "./loopbackHub.ts";

const text = (value: unknown) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** Bytes that no two places share for long. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24);
}

/** A safetensors file of one F32 matrix [rows, 8]. */
export function safetensors(rows: number, name = "model.embed_tokens.weight"): Uint8Array {
  const bytes = rows * 8 * Float32Array.BYTES_PER_ELEMENT;
  const header = text({ [name]: { dtype: "F32", shape: [rows, 8], data_offsets: [0, bytes] } });
  const file = new Uint8Array(8 + header.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(noise(bytes), 8 + header.length);
  return file;
}

/** The configuration of a small Llama. */
export const llamaConfig = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: 8,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  vocab_size: 320,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
  tie_word_embeddings: true,
};

/** A model of a file of weights with `rows` rows, and other files beside. */
export function modelRepository(
  rows: number,
  others: Readonly<Record<string, unknown>> = {},
  options: Omit<HubRepository, "kind" | "files"> = {},
): HubRepository {
  const files: Record<string, unknown> = {
    "README.md": "# A model",
    "config.json": llamaConfig,
    "tokenizer.json": { model: { vocab: {} } },
    "tokenizer_config.json": { chat_template: "{{ messages }}" },
    ...others,
  };
  return {
    kind: "model",
    license: "apache-2.0",
    ...options,
    files: new Map([
      ...Object.entries(files).map(
        ([name, value]) => [name, value instanceof Uint8Array ? value : text(value)] as const,
      ),
      ["model.safetensors", safetensors(rows)],
    ]),
  };
}

/** A repository of the files that are named, and no other. */
export function repositoryOf(
  files: Readonly<Record<string, unknown>>,
  options: Partial<Omit<HubRepository, "files">> = {},
): HubRepository {
  return {
    kind: "model",
    ...options,
    files: new Map(
      Object.entries(files).map(([name, value]) => [name, value instanceof Uint8Array ? value : text(value)]),
    ),
  };
}
