/** `adapter_config.json` of Python's PEFT: what it says of ranks and scales, and what of it cannot be computed here. */
import { FileFormatError } from "../files/fileFormatError.ts";

/** Its name. */
export const PEFT_CONFIG_FILE = "adapter_config.json";

/** What the file says. */
export interface PeftConfig {
  readonly baseModel: string;
  readonly rank: number;
  readonly alpha: number;
  /** Rank of a module, by the first pattern that fits its name. */
  readonly rankOf: (module: string) => number;
  /** Factor of B·A of a module that no pattern fits. */
  readonly scale: number;
  /** Factor of B·A of a module. */
  readonly scaleOf: (module: string) => number;
  /** Names that a module's name ends in; null where the file has a pattern or a word for all linears. */
  readonly targets: readonly string[] | null;
  /** Names of modules that are left out. */
  readonly excluded: readonly string[];
  /** Numbers of the adapted layers; null for all. */
  readonly layers: readonly unknown[] | null;
}

type Json = Readonly<Record<string, unknown>>;
type Refuse = (field: string, expected: string) => never;

/** Fields that change what an adapter computes in ways that are not supported; each must be absent or empty. */
const UNSUPPORTED_FIELDS = [
  "use_dora",
  "modules_to_save",
  "lora_bias",
  "target_parameters",
  "trainable_token_indices",
  "layer_replication",
  "use_qalora",
  "use_bdlora",
  "alora_invocation_tokens",
  "arrow_config",
];

/** What PEFT saves whole of a sequence classifier, whether it is there or not. */
const CLASSIFIER_MODULES: readonly unknown[] = ["classifier", "score"];

/** First values that are taken out of the base's weights: on the base as it is, such an adapter is another function. */
const BASE_CHANGING_STARTS = /^(pissa|olora|corda|loftq)/;

/** Whether a module's name is, or ends in, a target. */
export function isTarget(module: string, targets: readonly string[]): boolean {
  return targets.some((target) => module === target || module.endsWith(`.${target}`));
}

/**
 * Reads the file. Throws `FileFormatError` with field, value and what was expected: for other methods than LoRA, DoRA,
 * biases, saved modules and all else that is not B·A times a number. With `hasScore` the file must be a sequence classifier's.
 */
export function readPeftConfig(
  bytes: Uint8Array,
  { hasScore = false }: { readonly hasScore?: boolean } = {},
): PeftConfig {
  const json = parseConfig(bytes);
  const refuse: Refuse = (field, expected) => {
    const value = shown(json[field]);
    throw new FileFormatError("FIL-1", PEFT_CONFIG_FILE, `${field} is ${value}, expected ${expected}.`);
  };
  checkSupported(json, refuse, hasScore);
  if (hasScore) checkClassifier(json, refuse);
  const rank = json["r"];
  if (!isRank(rank)) return refuse("r", "a whole number above 0");
  const alpha = json["lora_alpha"];
  if (!isPositive(alpha)) return refuse("lora_alpha", "a number above 0");
  const baseModel = json["base_model_name_or_path"] ?? "";
  if (typeof baseModel !== "string") return refuse("base_model_name_or_path", "a text");
  const ranks = patterns(json, "rank_pattern", isRank, refuse);
  const alphas = patterns(json, "alpha_pattern", isPositive, refuse);
  const rankOf = (module: string) => valueFor(module, ranks) ?? rank;
  const isRankStabilised = json["use_rslora"] === true;
  const scaled = (numerator: number, own: number) => numerator / (isRankStabilised ? Math.sqrt(own) : own);
  const { target_modules: targets, exclude_modules: excluded, layers_to_transform: layers } = json;
  if (!isTexts(targets) && typeof targets !== "string") return refuse("target_modules", "a list of names");
  if (!isEmpty(excluded) && !isTexts(excluded)) return refuse("exclude_modules", "a list of names");
  return {
    baseModel,
    rank,
    alpha,
    rankOf,
    scale: scaled(alpha, rank),
    scaleOf: (module) => scaled(valueFor(module, alphas) ?? alpha, rankOf(module)),
    targets: isTexts(targets) ? targets : null,
    excluded: isTexts(excluded) ? excluded : [],
    layers: isEmpty(layers) ? null : Array.isArray(layers) ? (layers as unknown[]) : [layers],
  };
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

function checkClassifier({ task_type: task, modules_to_save: saved }: Json, refuse: Refuse): void {
  if (task !== "SEQ_CLS") refuse("task_type", '"SEQ_CLS", a model that gives a text one number');
  if (
    !Array.isArray(saved) ||
    !saved.includes("score") ||
    !saved.every((name) => CLASSIFIER_MODULES.includes(name))
  )
    refuse("modules_to_save", '["score"]');
}

function checkSupported(json: Json, refuse: Refuse, hasScore: boolean): void {
  if (json["peft_type"] !== "LORA") refuse("peft_type", '"LORA"');
  if ((json["bias"] ?? "none") !== "none") refuse("bias", '"none"');
  for (const field of UNSUPPORTED_FIELDS)
    if (!isEmpty(json[field]) && !(hasScore && field === "modules_to_save"))
      refuse(field, "nothing: it is not supported");
  const start = json["init_lora_weights"];
  if (typeof start === "string" && BASE_CHANGING_STARTS.test(start))
    refuse(
      "init_lora_weights",
      "true: such an adapter belongs to changed base weights, convert it to plain LoRA",
    );
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function isRank(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

const SHOWN_CHARACTERS = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

interface Pattern {
  readonly fits: RegExp;
  readonly value: number;
}

const MAX_PATTERN_CHARACTERS = 200;
/** More of them in one pattern could take for ever on a name that does not fit. */
const MAX_REPETITIONS = 3;

/** Whether a pattern is one that ends soon: names, dots, choices, and few repetitions of single signs. */
function isPlainPattern(pattern: string): boolean {
  if (pattern.length > MAX_PATTERN_CHARACTERS || !/^[\w.\\^$|()[\]*+?-]*$/.test(pattern)) return false;
  const isOfGroup = /\)[*+?]/.test(pattern);
  return !isOfGroup && (pattern.match(/[*+?]/g) ?? []).length <= MAX_REPETITIONS;
}

/** Values by pattern; PEFT lets a pattern fit the end of a name, after a dot. */
function patterns(
  json: Json,
  field: string,
  isValue: (value: unknown) => value is number,
  refuse: Refuse,
): Pattern[] {
  const given = json[field];
  if (isEmpty(given)) return [];
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return refuse(field, "an object of numbers by module name");
  return Object.entries(given as Json).map(([pattern, value]): Pattern => {
    if (!isValue(value)) return refuse(field, `numbers above 0, not ${shown(value)} for "${pattern}"`);
    if (!isPlainPattern(pattern)) return refuse(field, "plain module names");
    try {
      return { fits: new RegExp(`^(.*\\.)?(${pattern})$`), value };
    } catch {
      return refuse(field, "plain module names");
    }
  });
}

function valueFor(module: string, all: readonly Pattern[]): number | undefined {
  return all.find(({ fits }) => fits.test(module))?.value;
}
