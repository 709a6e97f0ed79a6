import { FileFormatError } from "../files/fileFormatError.ts";

/** How rotary frequencies are stretched for longer texts; null in a config means not at all. */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaxPositions: number;
    };

/** What the decoder needs to know of a model, whatever its file calls it. */
export interface ModelConfig {
  readonly architecture: "llama";
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Divides `heads`. */
  readonly keyValueHeads: number;
  /** Even, because rotary positions turn pairs. */
  readonly headDim: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  readonly rmsNormEpsilon: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  /** The output projection is the embedding matrix. */
  readonly hasTiedEmbeddings: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}

/** Architectures that can be loaded, by `architectures[0]` and by `model_type`. */
const SUPPORTED = [{ className: "LlamaForCausalLM", modelType: "llama" }] as const;

/** Upper bounds far above any real model, so that a damaged number is refused before memory is asked for. */
const LARGEST = { width: 1 << 17, layers: 1 << 10, heads: 1 << 10, vocabulary: 1 << 22, positions: 1 << 26 };

const DEFAULT_ROPE_THETA = 10_000;

type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads fields of one JSON object and refuses by file, field, value and expectation. */
function fieldReader(json: Json, file: string) {
  const refuse = (field: string, expected: string): never => {
    const value = JSON.stringify(json[field]) ?? "missing";
    throw new FileFormatError("FIL-1", file, `${field} is ${value}, expected ${expected}.`);
  };
  const count = (field: string, largest: number, otherwise?: number): number => {
    const value = json[field] ?? otherwise;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > largest)
      return refuse(field, `a whole number from 1 to ${largest}`);
    return value;
  };
  const positive = (field: string, otherwise?: number): number => {
    const value = json[field] ?? otherwise;
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
      return refuse(field, "a number above 0");
    return value;
  };
  return { refuse, count, positive };
}

function checkArchitecture(json: Json, file: string): void {
  const className = Array.isArray(json["architectures"]) ? json["architectures"][0] : undefined;
  const modelType = json["model_type"];
  const isSupported = SUPPORTED.some((known) =>
    className === undefined ? known.modelType === modelType : known.className === className,
  );
  if (isSupported) return;
  const found = JSON.stringify(className ?? modelType) ?? "missing";
  const supported = SUPPORTED.map((known) => known.className).join(", ");
  throw new FileFormatError("FIL-1", file, `the architecture is ${found}; supported: ${supported}.`);
}

/** Refuses what would load with the right shapes and compute something else. */
function checkFeatures(json: Json, file: string): void {
  const { refuse } = fieldReader(json, file);
  if ((json["quantization_config"] ?? null) !== null)
    refuse("quantization_config", "none: quantised weights cannot be read, use the full weights");
  if ((json["auto_map"] ?? null) !== null)
    refuse("auto_map", "none: code that comes with a model is not run");
  for (const field of ["attention_bias", "mlp_bias"])
    if ((json[field] ?? false) !== false) refuse(field, "false: biases are not supported");
  if ((json["hidden_act"] ?? "silu") !== "silu") refuse("hidden_act", '"silu"');
  if ((json["sliding_window"] ?? null) !== null)
    refuse("sliding_window", "null: every token attends to all before it");
  if ((json["rope_interleaved"] ?? false) !== false)
    refuse("rope_interleaved", "false: rotary positions turn the two halves of a head");
  checkWholeRotation(json, file);
  const { rope_parameters: parameters } = json;
  if (isRecord(parameters)) checkWholeRotation(parameters, `${file}: rope_parameters`);
}

function checkWholeRotation(json: Json, file: string): void {
  if ((json["partial_rotary_factor"] ?? 1) !== 1)
    fieldReader(json, file).refuse("partial_rotary_factor", "1: rotary positions turn whole heads");
}

function readRopeScaling(json: Json, file: string): RopeScaling | null {
  const field = (json["rope_scaling"] ?? null) === null ? "rope_parameters" : "rope_scaling";
  const scaling = json[field] ?? null;
  if (scaling === null) return null;
  if (!isRecord(scaling)) return fieldReader(json, file).refuse(field, "an object or null");
  const { refuse, count, positive } = fieldReader(scaling, `${file}: ${field}`);
  const kindField = scaling["rope_type"] === undefined ? "type" : "rope_type";
  switch (scaling[kindField]) {
    case "default":
      return null;
    case "linear":
      return { type: "linear", factor: positive("factor") };
    case "llama3": {
      const lowFrequencyFactor = positive("low_freq_factor");
      const highFrequencyFactor = positive("high_freq_factor");
      if (highFrequencyFactor <= lowFrequencyFactor)
        refuse("high_freq_factor", `more than low_freq_factor, ${lowFrequencyFactor}`);
      const originalMaxPositions = count("original_max_position_embeddings", LARGEST.positions);
      return {
        type: "llama3",
        factor: positive("factor"),
        lowFrequencyFactor,
        highFrequencyFactor,
        originalMaxPositions,
      };
    }
    default:
      return refuse(kindField, '"default", "linear" or "llama3"');
  }
}

function readRopeTheta(json: Json, file: string): number {
  const parameters = json["rope_parameters"];
  if (json["rope_theta"] === undefined && isRecord(parameters))
    return fieldReader(parameters, `${file}: rope_parameters`).positive("rope_theta", DEFAULT_ROPE_THETA);
  return fieldReader(json, file).positive("rope_theta", DEFAULT_ROPE_THETA);
}

function readTokenIds(
  json: Json,
  field: string,
  options: { file: string; vocabularySize: number },
): number[] {
  const { file, vocabularySize } = options;
  const value = json[field] ?? [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.map((id) => {
    if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < vocabularySize) return id;
    return fieldReader(json, file).refuse(field, `token ids below ${vocabularySize}`);
  });
}

/**
 * Reads a Hugging Face `config.json` (already parsed) of a Llama model.
 * Throws `FileFormatError` for an unknown architecture, an unsupported feature or sizes that do not fit together.
 */
export function readModelConfig(json: unknown, fileName: string): ModelConfig {
  if (!isRecord(json)) throw new FileFormatError("FIL-1", fileName, "not a JSON object.");
  checkArchitecture(json, fileName);
  checkFeatures(json, fileName);
  const { refuse, count, positive } = fieldReader(json, fileName);
  const hiddenSize = count("hidden_size", LARGEST.width);
  const heads = count("num_attention_heads", LARGEST.heads);
  const keyValueHeads = count("num_key_value_heads", LARGEST.heads, heads);
  if (heads % keyValueHeads !== 0) refuse("num_key_value_heads", `a divisor of the ${heads} attention heads`);
  if ((json["head_dim"] ?? null) === null && hiddenSize % heads !== 0)
    refuse("hidden_size", `a multiple of the ${heads} attention heads`);
  const headDim = count("head_dim", LARGEST.width, hiddenSize / heads);
  if (headDim % 2 !== 0) refuse("head_dim", `an even number, not ${headDim}`);
  const vocabularySize = count("vocab_size", LARGEST.vocabulary);
  const tied = json["tie_word_embeddings"] ?? false;
  if (typeof tied !== "boolean") return refuse("tie_word_embeddings", "true or false");
  const ids = { file: fileName, vocabularySize };
  return {
    architecture: "llama",
    hiddenSize,
    intermediateSize: count("intermediate_size", LARGEST.width),
    layers: count("num_hidden_layers", LARGEST.layers),
    heads,
    keyValueHeads,
    headDim,
    vocabularySize,
    maxPositions: count("max_position_embeddings", LARGEST.positions),
    rmsNormEpsilon: positive("rms_norm_eps"),
    ropeTheta: readRopeTheta(json, fileName),
    ropeScaling: readRopeScaling(json, fileName),
    hasTiedEmbeddings: tied,
    bosTokenId: readTokenIds(json, "bos_token_id", ids)[0] ?? null,
    eosTokenIds: readTokenIds(json, "eos_token_id", ids),
  };
}
