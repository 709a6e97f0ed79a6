import { FileFormatError } from "../files/fileFormatError.ts";
import type { Architecture } from "./architectures/architecture.ts";
import { fieldsOf, isRecord, type Fields } from "./architectures/fields.ts";
import { architectures } from "./architectures/index.ts";

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

/** Options of one layer, counted from 0. */
export function layerOptions({ layerPattern }: ModelConfig, layer: number): LayerOptions {
  return layerPattern[layer % layerPattern.length] ?? { window: null, rope: "main" };
}

/** The distinct windows of a model's layers: a batch needs tables for each of them. */
export function distinctWindows({ layerPattern }: ModelConfig): (number | null)[] {
  return [...new Set(layerPattern.map(({ window }) => window))];
}

/** Characters of a method of quantisation that are told. */
const LONGEST_METHOD = 40;

/** Refuses what would load with the right shapes and compute something else, whatever the architecture. */
function checkFeatures({ json, file, refuse }: Fields): void {
  const quantization = json["quantization_config"] ?? null;
  const method = isRecord(quantization) ? quantization["quant_method"] : undefined;
  if (typeof method === "string")
    throw new FileFormatError(
      "FIL-1",
      file,
      `the weights are quantised with ${method.slice(0, LONGEST_METHOD).toUpperCase()}, which is not read here. Choose the full weights, or a GGUF file.`,
    );
  if (quantization !== null)
    refuse("quantization_config", "none: quantised weights cannot be read, use the full weights");
  if ((json["auto_map"] ?? null) !== null)
    refuse("auto_map", "none: code that comes with a model is not run");
}

function findArchitecture({ json, file }: Fields): Architecture {
  const className: unknown = Array.isArray(json["architectures"]) ? json["architectures"][0] : undefined;
  const modelType = json["model_type"];
  const known = architectures.find((each) =>
    className === undefined ? each.modelType === modelType : each.className === className,
  );
  if (known !== undefined) return known;
  const found = JSON.stringify(className ?? modelType) ?? "missing";
  const supported = architectures.map((each) => each.className).join(", ");
  throw new FileFormatError("FIL-1", file, `the architecture is ${found}; supported: ${supported}.`);
}

/**
 * Reads a Hugging Face `config.json` (already parsed).
 * Throws `FileFormatError` for an unknown architecture, an unsupported feature or sizes that do not fit together.
 */
export function readModelConfig(json: unknown, fileName: string): ModelConfig {
  if (!isRecord(json)) throw new FileFormatError("FIL-1", fileName, "not a JSON object.");
  const fields = fieldsOf(json, fileName);
  const architecture = findArchitecture(fields);
  checkFeatures(fields);
  return architecture.readConfig(fields);
}
