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

/** How the rows of a layer see one another, and how they are turned. */
export interface LayerOptions {
  /** A row sees itself and the `window - 1` positions before it; null is its whole sequence. */
  readonly window: number | null;
  /** Which of the model's rotations turns queries and keys: `main`, `local` (`localRopeTheta`), or none. */
  readonly rope: "main" | "local" | null;
}

/** Families of models that can be loaded, by their `model_type`. */
export type ArchitectureName =
  "llama" | "gpt2" | "gpt_neox" | "qwen2" | "qwen3" | "gemma2" | "gemma3_text" | "smollm3";

/** What the decoder needs to know of a model, whatever its file calls it. */
export interface ModelConfig {
  readonly architecture: ArchitectureName;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Divides `heads`. */
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  /** `rms` has a gain, `layer` subtracts the mean and has a gain and a bias. */
  readonly norm: "rms" | "layer";
  /** Added to the variance by every norm, of either kind. */
  readonly rmsNormEpsilon: number;
  /** Leading values of each head that rotary positions turn, an even number; 0 means learned positions instead. */
  readonly rotaryDims: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
  /** Base of the `local` rotation, which is never scaled; null where no layer has one. */
  readonly localRopeTheta: number | null;
  /** Repeats over the layers: layer l has the options at l modulo the length. */
  readonly layerPattern: readonly LayerOptions[];
  readonly hasQkvBias: boolean;
  readonly hasOutputBias: boolean;
  readonly hasMlpBias: boolean;
  /** Each head's queries and keys pass an RMS norm before they are turned. */
  readonly hasQueryKeyNorm: boolean;
  /** What attention and MLP give passes a norm of its own before it is added to the stream. */
  readonly hasPostNorms: boolean;
  /** Attention and MLP read the same stream, and both are added to it. */
  readonly isParallelResidual: boolean;
  /** `geluTanh` is the tanh approximation, `gelu` the exact function. */
  readonly activation: "silu" | "geluTanh" | "gelu";
  /** The MLP is down(activation(gate(x)) · up(x)), otherwise down(activation(up(x))). */
  readonly isGatedMlp: boolean;
  /** Factor of the attention scores. */
  readonly attentionScale: number;
  /** Scores become c · tanh(score / c); null leaves them. */
  readonly attentionSoftCap: number | null;
  /** The same for the logits. */
  readonly logitSoftCap: number | null;
  /** Factor of the token embeddings where they enter the stream, not where they are the head. */
  readonly embeddingScale: number;
  /** The output projection is the embedding matrix. */
  readonly hasTiedEmbeddings: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}

/** What a Llama does; other architectures name what differs. */
export function llamaOptions(headDim: number) {
  return {
    norm: "rms",
    rotaryDims: headDim,
    localRopeTheta: null,
    layerPattern: [{ window: null, rope: "main" }],
    hasQkvBias: false,
    hasOutputBias: false,
    hasMlpBias: false,
    hasQueryKeyNorm: false,
    hasPostNorms: false,
    isParallelResidual: false,
    activation: "silu",
    isGatedMlp: true,
    attentionScale: 1 / Math.sqrt(headDim),
    attentionSoftCap: null,
    logitSoftCap: null,
    embeddingScale: 1,
  } as const satisfies Partial<ModelConfig>;
}

/** Options of one layer, counted from 0. */
export function layerOptions({ layerPattern }: ModelConfig, layer: number): LayerOptions {
  return layerPattern[layer % layerPattern.length] ?? { window: null, rope: "main" };
}

/** The distinct windows of a model's layers: a batch needs tables for each of them. */
export function distinctWindows({ layerPattern }: ModelConfig): (number | null)[] {
  return [...new Set(layerPattern.map(({ window }) => window))];
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
    ...llamaOptions(headDim),
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
