/** The layout of SAELens 6: `sae_weights.safetensors` and `cfg.json`. */
import { FileFormatError } from "../../files/fileFormatError.ts";
import { readSafetensors, type NamedArray } from "../../files/safetensors.ts";
import { biasOfShift, transposed, type SaeArrays, type SaeFile, type SaeLayout } from "./layout.ts";

const WEIGHTS = "sae_weights.safetensors";
const CONFIG = "cfg.json";
const CONFIG_LIMIT = 60;

interface SaeLensConfig {
  readonly inputSize: number;
  readonly width: number;
  readonly hasThreshold: boolean;
  readonly subtractsDecoderBias: boolean;
  readonly hook: string;
  readonly layer: number;
  readonly modelName: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

function refuse(field: string, value: unknown, expected: string): never {
  const text = (JSON.stringify(value) ?? "missing").slice(0, CONFIG_LIMIT);
  throw new FileFormatError("FIL-1", CONFIG, `${field} is ${text}, expected ${expected}.`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseFields(bytes: Uint8Array): Fields {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isFields(parsed)) return parsed;
  } catch {
    // Refused below, like JSON that is no object.
  }
  throw new FileFormatError("FIL-1", CONFIG, "not a JSON object in UTF-8.");
}

function sizeOf(fields: Fields, name: string): number {
  const value = fields[name];
  return Number.isSafeInteger(value) && Number(value) > 0
    ? Number(value)
    : refuse(name, value, "a whole number above 0");
}

/** The block whose output a hook names: what goes into a block is what came out of the one before. */
function layerOf(hook: unknown): number {
  const match = typeof hook === "string" ? /^blocks\.(\d+)\.hook_resid_(post|pre)$/.exec(hook) : null;
  const layer = match === null ? -1 : Number(match[1]) - (match[2] === "pre" ? 1 : 0);
  return layer >= 0
    ? layer
    : refuse(
        "metadata.hook_name",
        hook,
        "the residual stream after a block, such as blocks.2.hook_resid_post",
      );
}

/** Refuses what is done to the stream beside a shift: it depends on the row, or on data that is not in the files. */
function readConfig(fields: Fields): SaeLensConfig {
  const { architecture, metadata } = fields;
  if (!isFields(metadata))
    return refuse("metadata", metadata, "an object as SAELens 6 writes it: older files are not read");
  if (architecture !== "standard" && architecture !== "jumprelu")
    return refuse("architecture", architecture, "standard or jumprelu");
  const { hook_name: hook, model_name: modelName } = metadata;
  const normalisation = fields["normalize_activations"] ?? "none";
  if (normalisation !== "none") return refuse("normalize_activations", normalisation, "none");
  const reshaping = fields["reshape_activations"] ?? "none";
  if (reshaping !== "none") return refuse("reshape_activations", reshaping, "none");
  const subtracts = fields["apply_b_dec_to_input"] ?? false;
  if (typeof subtracts !== "boolean") return refuse("apply_b_dec_to_input", subtracts, "true or false");
  return {
    inputSize: sizeOf(fields, "d_in"),
    width: sizeOf(fields, "d_sae"),
    hasThreshold: architecture === "jumprelu",
    subtractsDecoderBias: subtracts,
    layer: layerOf(hook),
    hook: String(hook),
    modelName: typeof modelName === "string" ? modelName : null,
  };
}

function valuesOf(
  arrays: ReadonlyMap<string, NamedArray>,
  name: string,
  wanted: readonly number[],
): Float32Array {
  const array = arrays.get(name);
  if (array === undefined) throw new FileFormatError("FIL-1", WEIGHTS, `the tensor ${name} is missing.`);
  if (array.shape.join() !== wanted.join())
    throw new FileFormatError(
      "FIL-1",
      WEIGHTS,
      `${name} has the shape [${array.shape.join(", ")}], and ${CONFIG} asks for [${wanted.join(", ")}].`,
    );
  return array.values;
}

function bytesOf(files: readonly SaeFile[], name: string): Uint8Array {
  const file = files.find((each) => each.name === name);
  if (file === undefined) throw new FileFormatError("FIL-1", name, "the file is missing.");
  return file.bytes;
}

function read(files: readonly SaeFile[]): SaeArrays {
  const config = readConfig(parseFields(bytesOf(files, CONFIG)));
  const { inputSize, width, hasThreshold, subtractsDecoderBias, layer, hook, modelName } = config;
  const arrays = readSafetensors(bytesOf(files, WEIGHTS), WEIGHTS);
  const encoder = transposed(valuesOf(arrays, "W_enc", [inputSize, width]), inputSize, width);
  const bias = valuesOf(arrays, "b_enc", [width]);
  const decoderBias = valuesOf(arrays, "b_dec", [inputSize]);
  return {
    inputSize,
    width,
    layer,
    hook,
    modelName,
    encoder,
    bias: subtractsDecoderBias ? biasOfShift({ encoder, bias }, decoderBias) : bias,
    threshold: hasThreshold ? valuesOf(arrays, "threshold", [width]) : new Float32Array(width),
    decoder: valuesOf(arrays, "W_dec", [width, inputSize]),
    decoderBias,
  };
}

/** SAELens 6, of whose architectures `standard` and `jumprelu` are read. */
export const saeLens: SaeLayout = {
  fileNames: [WEIGHTS, CONFIG],
  matches: (files) => files.some(({ name }) => name === WEIGHTS || name === CONFIG),
  read,
};
