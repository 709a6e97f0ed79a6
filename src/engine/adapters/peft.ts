/** Adapters as Python's PEFT writes and reads them: one safetensors file and one small JSON. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { readSafetensors, writeSafetensors, type NamedArray } from "../files/safetensors.ts";
import { isTarget, PEFT_CONFIG_FILE, readPeftConfig, type PeftConfig } from "./peftConfig.ts";

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
  /** Layers of the model: where fewer are adapted, the config names them. */
  readonly layers?: number;
  /** Head [labels, hidden] that was trained with the adapter: the file is then one of a sequence classifier (`SEQ_CLS`). */
  readonly score?: NamedArray;
}

/** An adapter read from its two files. */
export interface PeftAdapter extends PeftSettings {
  readonly arrays: AdapterArrays;
  /** Factor of B·A in the weight of a module that no pattern names. */
  readonly scale: number;
  /** The same of any module. */
  readonly scaleOf: (module: string) => number;
  readonly config: PeftConfig;
  /** Names of the adapted modules' last parts, such as `q_proj`. */
  readonly targetModules: readonly string[];
  /** Head [labels, hidden] of a sequence classifier; null where none was asked for, or the file has none. */
  readonly score: NamedArray | null;
}

/** The file of its numbers, by PEFT's name. */
export const PEFT_WEIGHTS_FILE = "adapter_model.safetensors";

const PREFIX = "base_model.model.";
const SCORE = "score.weight";
const PARAMETER = /^(.+)\.lora_([AB])\.weight$/;

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
 * What `layers_to_transform` must say: null when the layers are the first ones, up to the model's last where its number
 * is known, so that PEFT finds the modules without it. Throws when a target is adapted in some of the layers only, which PEFT cannot be told.
 */
function layersToTransform(modules: readonly string[], ofModel?: number): number[] | null {
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
  const isAll = layers.length === (ofModel ?? layers.length);
  return isAll && layers.every((layer, index) => layer === index) ? null : layers;
}

/** What a parameter that is no factor of LoRA belongs to. */
const OTHER_PARAMETERS: readonly (readonly [RegExp, string])[] = [
  [/lora_embedding_[AB]/, "an adapter of an embedding"],
  [/lora_magnitude_vector/, "DoRA's"],
  [/hada_|lokr_|oft_|ia3_/, "another method's"],
  [/modules_to_save|original_module/, "a module saved whole"],
  [/\.bias$/, "a bias"],
];

function whatElse(name: string): string {
  const [, words] = OTHER_PARAMETERS.find(([pattern]) => pattern.test(name)) ?? [];
  return words === undefined ? "" : ` but ${words}`;
}

/** Ranks of the adapted modules; refuses names that are no LoRA parameter, lone factors, and pairs that differ in rank. */
function checkArrays(arrays: AdapterArrays, file: string): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const [name, { shape }] of arrays) {
    const [, module, factor] = PARAMETER.exec(name) ?? [];
    if (module === undefined)
      throw new FileFormatError(
        "FIL-1",
        file,
        `"${name}" is not a LoRA parameter${whatElse(name)}; only those can be read.`,
      );
    const partner = `${module}.lora_${factor === "A" ? "B" : "A"}.weight`;
    if (!arrays.has(partner)) throw new FileFormatError("FIL-1", file, `"${name}" has no "${partner}".`);
    const ownRank = shape[factor === "A" ? 0 : 1];
    const rank = ranks.get(module) ?? ownRank ?? 0;
    if (shape.length !== 2 || ownRank !== rank || rank === 0)
      throw new FileFormatError(
        "FIL-1",
        file,
        `"${name}" has the shape [${shape.join(", ")}], expected two axes and rank ${rank}.`,
      );
    ranks.set(module, rank);
  }
  if (ranks.size === 0) throw new FileFormatError("FIL-1", file, "holds no adapter parameters.");
  return ranks;
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
  const ranks = checkArrays(arrays, PEFT_WEIGHTS_FILE);
  const modules = [...ranks.keys()];
  for (const rank of ranks.values())
    if (rank !== settings.rank)
      throw new FileFormatError(
        "FIL-1",
        PEFT_WEIGHTS_FILE,
        `the rank is ${rank}, expected ${settings.rank}.`,
      );
  const { score } = settings;
  const all = score === undefined ? [...arrays] : [...arrays, [SCORE, score] as const];
  const named = new Map(all.map(([name, array]) => [PREFIX + name, array]));
  const config = {
    peft_type: "LORA",
    task_type: score === undefined ? "CAUSAL_LM" : "SEQ_CLS",
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
    modules_to_save: score === undefined ? null : ["score"],
    layers_to_transform: layersToTransform(modules, settings.layers),
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
 * Throws `FileFormatError` for anything but whole pairs of LoRA factors; every module has a rank of its own.
 */
export function readPeftArrays(bytes: Uint8Array, fileName: string): AdapterArrays {
  const arrays = withoutPrefix(bytes, fileName);
  checkArrays(arrays, fileName);
  return arrays;
}

function withoutPrefix(bytes: Uint8Array, fileName: string): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  for (const [name, array] of readSafetensors(bytes, fileName)) {
    if (!name.startsWith(PREFIX))
      throw new FileFormatError("FIL-1", fileName, `"${name}" does not begin with "${PREFIX}".`);
    arrays.set(name.slice(PREFIX.length), array);
  }
  return arrays;
}

/** Layers by their numbers must be those of the parameters. */
function checkLayers({ layers: given }: PeftConfig, modules: readonly string[]): void {
  if (given === null) return;
  const layers = layersOf(modules);
  if (new Set(given).size === layers.length && layers.every((layer) => given.includes(layer))) return;
  throw new FileFormatError(
    "FIL-1",
    PEFT_CONFIG_FILE,
    `layers_to_transform is ${JSON.stringify(given)}, expected [${layers.join(", ")}], the layers of the parameters.`,
  );
}

/**
 * Reads an adapter from the bytes of its two files. Throws `FileFormatError` for other methods than LoRA, for DoRA,
 * biases, embeddings and saved modules, and where the numbers do not agree with the config. `hasScore` asks for a sequence
 * classifier, whose head is the one module that may be saved whole.
 */
export function readPeftAdapter(
  files: { readonly weights: Uint8Array; readonly config: Uint8Array },
  { hasScore = false }: { readonly hasScore?: boolean } = {},
): PeftAdapter {
  const config = readPeftConfig(files.config, { hasScore });
  const arrays = withoutPrefix(files.weights, PEFT_WEIGHTS_FILE);
  const score = hasScore ? (arrays.get(SCORE) ?? null) : null;
  if (hasScore) arrays.delete(SCORE);
  const ranks = checkArrays(arrays, PEFT_WEIGHTS_FILE);
  const modules = [...ranks.keys()];
  checkLayers(config, modules);
  const expectedRank = new Set(ranks.values()).size === 1 ? [...ranks.values()][0] : undefined;
  for (const [module, rank] of ranks) {
    const wanted = config.rankOf(module);
    if (rank === wanted) continue;
    const reason =
      wanted === config.rank && rank === expectedRank
        ? `r is ${config.rank}, expected ${rank}, the rank of the parameters.`
        : `the rank of "${module}" is ${wanted}, its parameters have rank ${rank}.`;
    throw new FileFormatError("FIL-1", PEFT_CONFIG_FILE, reason);
  }
  const { targets } = config;
  const stray = targets === null ? undefined : modules.find((module) => !isTarget(module, targets));
  if (stray !== undefined)
    throw new FileFormatError(
      "FIL-1",
      PEFT_CONFIG_FILE,
      `target_modules is ${JSON.stringify(targets)}, and the parameters adapt "${stray}".`,
    );
  const { rank, alpha, baseModel, scale, scaleOf } = config;
  return { arrays, rank, alpha, baseModel, scale, scaleOf, config, targetModules: suffixes(modules), score };
}
