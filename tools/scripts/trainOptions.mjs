/** The options of `npm run train`: one for every field of a run's configuration, and one for every knob. */

/** What each field of the configuration means, in one line of help. */
export const fieldHelp = {
  model:
    "embedded model by its id, a folder with config.json, safetensors and tokenizer.json, or a .gguf or .zip file",
  data: "embedded preference set by its id, or a file of pairs: JSONL, JSON, CSV, TSV, Parquet, also as .gz or .zip",
  baseWeights: "how the model's matrices lie on the device: as in its file, or converted",
  dataLayout: "layout that the set is read with; empty: the one that its columns tell",
  dataColumns: "columns by what they are for, as JSON",
  dataSteps: "what is done to the set before it is tokenised, in order, as JSON",
  objective: "which labelled objective of the set is trained",
  method: "what is learned from the pairs; --loss is the same option",
  heldFeatures: "features that the feature mode held holds, numbered from 0, separated by commas",
  saes: "sparse autoencoders by their ids, separated by commas, or a folder of one; none: the model's own",
  sftWeight: "weight of an SFT term on the chosen answers; 0: none",
  secondMethod: "a second method whose loss is added; its knobs are --second-<knob>",
  methodWeight: "what the method's loss is multiplied by",
  secondWeight: "what the second method's loss is multiplied by",
  referenceMode: "cached: the reference is computed once; live: in every step",
  tuning: "train an adapter or every weight",
  loraRank: "rank of the adapter",
  loraAlpha: "scale of the adapter, divided by its rank",
  loraDropout: "share of the adapter's inputs that is dropped in training",
  loraTargets: "modules that the adapter sits on, separated by commas",
  topLayers: "how many of the last layers train; 0: all",
  learningRate: "step size of AdamW",
  weightDecay: "decay of the trained weights",
  maxGradNorm: "limit of the global gradient norm; 0 switches clipping off",
  schedule: "course of the learning rate after the warm-up",
  warmupSteps: "steps until the learning rate is reached",
  steps: "optimizer steps",
  batchPairs: "pairs per micro-batch",
  accumulationSteps: "micro-batches per optimizer step",
  sharesPrompts: "whether both answers of a pair follow one copy of their prompt",
  checkpointing: "whether layers are computed again on the way back instead of kept: auto, on or off",
  maxTokens: "longest prompt plus answer, in tokens",
  terminator: "what ends an answer",
  isShuffled: "whether pairs come in random order",
  seed: "seed of everything random",
  evalEvery: "steps between held-out evaluations; 0: only before and after",
  evalPairs: "held-out pairs per evaluation",
  samplePrompts: "held-out prompts that are answered before and after the run",
  sampleTokens: "longest sample, in tokens",
  sampleTemperature: "temperature of the seeded samples",
  backend: "what computes",
  rounds: "rounds of online training that the steps are divided into; 0: the set's pairs alone",
  onlinePrompts: "training prompts that rounds use, from the first on; 0: all",
  firstPairs: "where the pairs of the first round come from: drawn, or the set's own",
  regeneratedShare: "share of the prompts that later rounds draw anew",
  selection: "which prompts those are: the lowest by their key, or drawn evenly",
  rankingKey: "what a stored pair is ranked by",
  hasPromptBaseline: "whether the key counts from the prompt's key in the first round",
  answersPerPrompt: "answers drawn for a prompt; the best and the worst become a pair",
  answerTemperature: "temperature of these answers",
  answerTopP: "only the likeliest tokens that together have this probability are drawn",
  onlineReference: "whether the reference moves to every round's start or stays the starting model",
  judges: "judges that rank, choose and weigh, as JSON; none: the set's own",
  heldoutJudge: "the judge that no selection and no weight sees, as JSON; none: the set's own",
  declineRounds: "ends the run once the held-out judge has fallen so many rounds in a row; 0: never",
  onJudgeFailure: "what a round does when a judge could not score answers; without a window always goOn",
};

const ownOptions = {
  preset: "start from a named preset instead of the default one",
  json: "write configuration, metrics, evaluations and samples to this file",
  help: "print this text",
};

/** Fields that are no option: knobs are options of their own, and a fresh browser has no adapters on its shelf. */
const fieldsWithoutOption = ["params", "adapters"];

/** Stands before the key of a knob of the second method, in the configuration's `params`. */
const secondPrefix = "second.";

/** The option of a field or knob: `learningRate` → `--learning-rate`, `second.beta` → `--second-beta`. */
export function optionName(field) {
  return `--${field.replace(".", "-").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Reads `--name value` and `--name=value` into a map; throws one sentence on anything else. */
function splitArguments(args) {
  const given = new Map();
  const rest = [...args];
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === "-h" || word === "--help") return new Map([["--help", ""]]);
    if (!word.startsWith("--")) throw new Error(`"${word}" is not an option: see npm run train -- --help.`);
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? rest.shift() : word.slice(equals + 1);
    if (value === undefined || value === "") throw new Error(`${name} needs a value after it.`);
    given.set(name === "--loss" ? "--method" : name, value);
  }
  return given;
}

/** Whether a value is too deep for a word or a list of words; the page checks what is in it. */
function isJson({ type, items, anyOf }) {
  return (
    anyOf !== undefined ||
    type === "object" ||
    (type === "array" && !(items.enum || items.type !== undefined))
  );
}

/** The value of a JSON text, or undefined when it is none of that type; what has no one type is an object or null. */
function jsonValueOf(text, type) {
  try {
    const value = JSON.parse(text);
    if (type === "array") return Array.isArray(value) ? value : undefined;
    const isRight = value?.constructor === Object || (type === undefined && value === null);
    return isRight ? value : undefined;
  } catch {
    return undefined;
  }
}

function expectation({ type, enum: choices, items, anyOf, minimum, maximum }) {
  if (anyOf) return "an object in JSON, or null";
  if (choices) return `one of ${choices.join(", ")}`;
  if (type === "boolean") return "true or false";
  if (isJson({ type, items, anyOf }))
    return type === "array" ? "a list in JSON" : "an object of texts in JSON";
  if (type === "array" && items.enum) return `some of ${items.enum.join(",")}`;
  if (type === "array") return `a list separated by commas, each ${expectation(items)}`;
  if (type === "string") return "a name";
  const range = minimum === undefined ? "" : ` from ${minimum} to ${maximum}`;
  return `${type === "integer" ? "a whole number" : "a number"}${range}`;
}

/** The value that a text means under a JSON schema, or undefined when it means none. */
function valueOf(text, schema) {
  if (isJson(schema)) return jsonValueOf(text, schema.type);
  if (schema.type === "array") {
    const items = text.split(",").map((item) => valueOf(item.trim(), schema.items));
    return items.includes(undefined) ? undefined : items;
  }
  if (schema.type === "boolean") return { true: true, false: false }[text];
  if (schema.type === "string") return !schema.enum || schema.enum.includes(text) ? text : undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  const isInRange = value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  const isRightKind = schema.type === "integer" ? Number.isInteger(value) : Number.isFinite(value);
  return isInRange && isRightKind ? value : undefined;
}

function readOption(name, text, schema) {
  const value = valueOf(text, schema);
  if (value === undefined) throw new Error(`${name} is ${text}: give ${expectation(schema)}.`);
  return value;
}

/** The starting point: the preset asked for, or the default. */
function startingConfig(presetId, { defaultConfig, presets }) {
  if (presetId === undefined) return defaultConfig;
  const preset = presets.find(({ id }) => id === presetId);
  const ids = presets.map(({ id }) => id).join(", ");
  if (!preset) throw new Error(`--preset is ${presetId}: give one of ${ids}.`);
  return preset.config;
}

/** The knobs of a method by their keys in `params`; those of the second one carry its prefix. */
function knobsOf(objective, prefix) {
  return (objective?.parameters ?? []).map((parameter) => ({ ...parameter, key: prefix + parameter.key }));
}

/** What a knob takes, as a JSON schema: its range stays the trainer's to refuse. */
function knobSchema({ isWhole, choices }) {
  return { type: isWhole || choices ? "integer" : "number" };
}

/** A method's knobs: kept from the starting point when the method stays, else the method's own defaults. */
function readParams(knobs, { given, kept }) {
  const params = {};
  for (const knob of knobs) {
    const text = given.get(optionName(knob.key));
    params[knob.key] =
      text === undefined
        ? (kept[knob.key] ?? knob.default)
        : readOption(optionName(knob.key), text, knobSchema(knob));
  }
  return params;
}

function refuseUnknown(given, { fields, objectives, method, secondMethod }) {
  const known = new Set([...fields, ...Object.keys(ownOptions)].map(optionName));
  for (const { key } of knobsOf(objectives[method], "")) known.add(optionName(key));
  for (const { key } of knobsOf(objectives[secondMethod], secondPrefix)) known.add(optionName(key));
  for (const name of given.keys()) {
    if (known.has(name)) continue;
    const ownersOf = (prefix) =>
      Object.values(objectives)
        .filter((objective) => knobsOf(objective, prefix).some(({ key }) => optionName(key) === name))
        .map(({ id }) => id)
        .join(", ");
    if (ownersOf("")) throw new Error(`${name} belongs to ${ownersOf("")}, and the method is ${method}.`);
    const second = secondMethod === "" ? "there is no second method" : `the second method is ${secondMethod}`;
    if (ownersOf(secondPrefix))
      throw new Error(`${name} belongs to ${ownersOf(secondPrefix)}, and ${second}.`);
    throw new Error(`${name} is not an option: see npm run train -- --help.`);
  }
}

/**
 * Reads the command line. `definitions` is what the engine declares: `schema` (the configuration as JSON
 * schema), `defaultConfig`, `presets` and `objectives`.
 * Gives `{ isHelp: true }`, or `{ config, jsonFile }`; throws one sentence on the first mistake.
 */
export function readTrainOptions(args, definitions) {
  const given = splitArguments(args);
  if (given.has("--help")) return { isHelp: true };
  const { schema, objectives } = definitions;
  const start = startingConfig(given.get("--preset"), definitions);
  const methods = { type: "string", enum: Object.keys(objectives) };
  const method = readOption("--method", given.get("--method") ?? start.method, methods);
  const secondMethod = given.get("--second-method") ?? start.secondMethod ?? "";
  if (secondMethod !== "") readOption("--second-method", secondMethod, methods);
  const fields = Object.keys(schema.properties).filter((field) => !fieldsWithoutOption.includes(field));
  refuseUnknown(given, { fields, objectives, method, secondMethod });
  const keptWhile = (isKept) => ({ given, kept: isKept ? start.params : {} });
  const params = {
    ...readParams(knobsOf(objectives[method], ""), keptWhile(method === start.method)),
    ...readParams(
      knobsOf(objectives[secondMethod], secondPrefix),
      keptWhile(secondMethod === start.secondMethod),
    ),
  };
  const config = { ...start, method, params };
  for (const field of fields) {
    const text = given.get(optionName(field));
    if (text !== undefined && field !== "method")
      config[field] = readOption(optionName(field), text, schema.properties[field]);
  }
  return { config, jsonFile: given.get("--json") };
}

/** The text of `--help`, drawn from the same definitions. */
export function helpText({ schema, defaultConfig, presets, objectives }) {
  const indent = " ".repeat(4);
  const lines = [
    "Trains in a browser without a window, on the built page.",
    "",
    "  npm run train -- --loss dpo --steps 60 --seed 7 --json out.json",
    "",
    "Options:",
  ];
  for (const [field, help] of Object.entries(fieldHelp)) {
    const isMethod = field === "method" || field === "secondMethod";
    const property = isMethod ? { type: "string", enum: Object.keys(objectives) } : schema.properties[field];
    const start =
      (isJson(property) ? "" : defaultConfig[field].toString()) ||
      (field === "objective" ? "the set's first" : "none");
    lines.push(`  ${optionName(field)}`, `${indent}${help}`);
    lines.push(`${indent}${expectation(property)}; otherwise ${start}`);
  }
  for (const { id, parameters } of Object.values(objectives))
    for (const { key, help, default: start } of parameters)
      lines.push(`  ${optionName(key)}`, `${indent}for ${id}: ${help}`, `${indent}otherwise ${start}`);
  for (const [name, help] of Object.entries(ownOptions)) lines.push(`  --${name}`, `${indent}${help}`);
  lines.push("", "Presets:", ...presets.map(({ id, promise }) => `  ${id}\n${indent}${promise}`));
  return lines.join("\n");
}
