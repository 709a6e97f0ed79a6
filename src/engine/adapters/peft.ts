/** Adapters as Python's PEFT writes and reads them: one safetensors file and one small JSON. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { readSafetensors, writeSafetensors, type NamedArray } from "../files/safetensors.ts";

/** Adapter parameters by `<module>.lora_A.weight` [rank, in] and `<module>.lora_B.weight` [out, rank]. */
export type AdapterArrays = ReadonlyMap<string, NamedArray>;

/** What an adapter file says besides its numbers. */
export interface PeftSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Repository or path of the model that the adapter belongs to. */
  readonly baseModel: string;
}

/** How the adapted model stores its linears, where it is not as a Llama does. */
export interface PeftTargets {
  /** Names that PEFT finds the modules by; the last parts of their names unless given. */
  readonly targetModules?: readonly string[];
  /** Linears are stored [in, out]. The adapter's own factors are not. */
  readonly hasTransposedLinears?: boolean;
}

/** An adapter read from its two files. */
export interface PeftAdapter extends PeftSettings {
  readonly arrays: AdapterArrays;
  /** Factor of B·A in the adapted weight. */
  readonly scale: number;
  /** Names of the adapted modules' last parts, such as `q_proj`. */
  readonly targetModules: readonly string[];
}

/** The two files of an adapter, by PEFT's names. */
export const PEFT_WEIGHTS_FILE = "adapter_model.safetensors";
export const PEFT_CONFIG_FILE = "adapter_config.json";

const PREFIX = "base_model.model.";
const PARAMETER = /^(.+)\.lora_([AB])\.weight$/;

type Json = Readonly<Record<string, unknown>>;

/** Number of the layer that a module is in, found as PEFT finds it; null outside of layers. */
function layerOf(module: string): number | null {
  const found = /.*\.[^.]*\.(\d+)\./.exec(module)?.[1];
  return found === undefined ? null : Number(found);
}

/** The layers that modules are in, in order. */
function layersOf(modules: readonly string[]): number[] {
  const layers = modules.map(layerOf).filter((layer) => layer !== null);
  return [...new Set(layers)].sort((a, b) => a - b);
}

/**
 * What `layers_to_transform` must say: null when the layers begin with the first and none is left out, so that PEFT
 * finds the modules without it. Throws when a target is adapted in some of the layers only, which PEFT cannot be told.
 */
function layersToTransform(modules: readonly string[]): number[] | null {
  const layers = layersOf(modules);
  const names = new Set(modules);
  for (const module of modules) {
    const own = layerOf(module);
    const missing = layers.find((layer) => !names.has(module.replace(`.${own}.`, `.${layer}.`)));
    if (missing !== undefined)
      throw new FileFormatError(
        "FIL-1",
        PEFT_CONFIG_FILE,
        `"${module}" is adapted, but not the same in layer ${missing}; PEFT adapts a module in all of the layers.`,
      );
  }
  return layers.every((layer, index) => layer === index) ? null : layers;
}

/** Sizes of the adapted modules; refuses names that are no LoRA parameter, lone factors and ranks that differ. */
function checkArrays(arrays: AdapterArrays, file: string): { modules: string[]; rank: number } {
  const modules = new Set<string>();
  let rank: number | null = null;
  for (const [name, { shape }] of arrays) {
    const [, module, factor] = PARAMETER.exec(name) ?? [];
    if (module === undefined)
      throw new FileFormatError("FIL-1", file, `"${name}" is not a LoRA parameter; only those can be read.`);
    const partner = `${module}.lora_${factor === "A" ? "B" : "A"}.weight`;
    if (!arrays.has(partner)) throw new FileFormatError("FIL-1", file, `"${name}" has no "${partner}".`);
    const ownRank = shape[factor === "A" ? 0 : 1];
    rank ??= ownRank ?? null;
    if (shape.length !== 2 || ownRank !== rank)
      throw new FileFormatError(
        "FIL-1",
        file,
        `"${name}" has the shape [${shape.join(", ")}], expected two axes and rank ${rank}.`,
      );
    modules.add(module);
  }
  if (rank === null) throw new FileFormatError("FIL-1", file, "holds no adapter parameters.");
  return { modules: [...modules], rank };
}

function suffixes(modules: readonly string[]): string[] {
  return [...new Set(modules.map((module) => module.slice(module.lastIndexOf(".") + 1)))].sort();
}

/**
 * Writes the two files that `PeftModel.from_pretrained` loads. PEFT adapts every module whose name ends in a target:
 * `arrays` must hold all of them up to the last adapted layer, or all of them in certain layers, which are then named
 * in the config. Throws `FileFormatError` for factors that do not fit together.
 */
export function writePeftAdapter(
  arrays: AdapterArrays,
  settings: PeftSettings & PeftTargets,
): { readonly name: string; readonly bytes: Uint8Array }[] {
  const { modules, rank } = checkArrays(arrays, PEFT_WEIGHTS_FILE);
  if (rank !== settings.rank)
    throw new FileFormatError("FIL-1", PEFT_WEIGHTS_FILE, `the rank is ${rank}, expected ${settings.rank}.`);
  const named = new Map([...arrays].map(([name, array]) => [PREFIX + name, array]));
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: settings.baseModel,
    revision: null,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: 0,
    target_modules: settings.targetModules ?? suffixes(modules),
    bias: "none",
    fan_in_fan_out: settings.hasTransposedLinears ?? false,
    inference_mode: true,
    init_lora_weights: true,
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
    layers_to_transform: layersToTransform(modules),
    layers_pattern: null,
    rank_pattern: {},
    alpha_pattern: {},
  };
  return [
    { name: PEFT_WEIGHTS_FILE, bytes: writeSafetensors(named) },
    { name: PEFT_CONFIG_FILE, bytes: new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`) },
  ];
}

/**
 * Reads the parameters of an adapter file, without PEFT's `base_model.model.` before their names.
 * Throws `FileFormatError` for anything but whole pairs of LoRA factors of one rank.
 */
export function readPeftArrays(bytes: Uint8Array, fileName: string): AdapterArrays {
  const arrays = new Map<string, NamedArray>();
  for (const [name, array] of readSafetensors(bytes, fileName)) {
    if (!name.startsWith(PREFIX))
      throw new FileFormatError("FIL-1", fileName, `"${name}" does not begin with "${PREFIX}".`);
    arrays.set(name.slice(PREFIX.length), array);
  }
  checkArrays(arrays, fileName);
  return arrays;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Fields that change what an adapter computes in ways that are not supported; each must be absent or empty. */
const UNSUPPORTED_FIELDS = ["use_dora", "modules_to_save", "rank_pattern", "alpha_pattern"];

function checkConfig(config: Json, refuse: (field: string, expected: string) => never): void {
  if (config["peft_type"] !== "LORA") refuse("peft_type", '"LORA"');
  if ((config["bias"] ?? "none") !== "none") refuse("bias", '"none"');
  for (const field of UNSUPPORTED_FIELDS)
    if (!isEmpty(config[field])) refuse(field, "nothing: it is not supported");
}

/** Layers by their numbers, which PEFT allows to be one number, must be those of the parameters. */
function checkLayers(
  field: unknown,
  modules: readonly string[],
  refuse: (field: string, expected: string) => never,
): void {
  if (isEmpty(field)) return;
  const given: unknown[] = Array.isArray(field) ? field : [field];
  const layers = layersOf(modules);
  if (new Set(given).size !== layers.length || !layers.every((layer) => given.includes(layer)))
    refuse("layers_to_transform", `[${layers.join(", ")}], the layers of the parameters`);
}

function parseConfig(bytes: Uint8Array): Json {
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return Object.fromEntries(Object.entries(json));
  } catch {
    // Reported below: what is no JSON is no JSON object either.
  }
  throw new FileFormatError("FIL-1", PEFT_CONFIG_FILE, "not a JSON object.");
}

/**
 * Reads an adapter from the bytes of its two files. Throws `FileFormatError` for other methods than LoRA, for DoRA,
 * biases, patterns and saved modules, and where the numbers do not agree with the config.
 */
export function readPeftAdapter(files: {
  readonly weights: Uint8Array;
  readonly config: Uint8Array;
}): PeftAdapter {
  const config = parseConfig(files.config);
  const refuse = (field: string, expected: string): never => {
    const value = JSON.stringify(config[field]) ?? "missing";
    throw new FileFormatError("FIL-1", PEFT_CONFIG_FILE, `${field} is ${value}, expected ${expected}.`);
  };
  checkConfig(config, refuse);
  const arrays = readPeftArrays(files.weights, PEFT_WEIGHTS_FILE);
  const { modules, rank } = checkArrays(arrays, PEFT_WEIGHTS_FILE);
  checkLayers(config["layers_to_transform"], modules, refuse);
  if (config["r"] !== rank) refuse("r", `${rank}, the rank of the parameters`);
  const alpha = config["lora_alpha"];
  if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha <= 0)
    return refuse("lora_alpha", "a number above 0");
  const baseModel = config["base_model_name_or_path"] ?? "";
  if (typeof baseModel !== "string") return refuse("base_model_name_or_path", "a text");
  const isRankStabilised = config["use_rslora"] === true;
  return {
    arrays,
    rank,
    alpha,
    baseModel,
    scale: alpha / (isRankStabilised ? Math.sqrt(rank) : rank),
    targetModules: suffixes(modules),
  };
}
