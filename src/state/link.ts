/** A whole configuration as a readable address, and back: only what differs from a preset travels. */
import type { secondPrefix as enginePrefix } from "../engine/losses/mix.ts";
import { runConfigSchema, type RunConfig } from "../engine/training/config.ts";
import type { Description, ObjectiveCard } from "../worker/description.ts";
import { configFields, textOfSetting } from "./configChanges.ts";
import { placeKeys } from "./place.ts";
import { isShelfId } from "./shelfStore.ts";

/** A setting of a link that was left out, with the reason. */
export interface SkippedSetting {
  readonly setting: string;
  readonly reason: string;
}

/** What a link says after everything unknown and invalid was left out. */
export interface ReadLink {
  readonly presetId: string;
  readonly config: RunConfig;
  readonly skipped: readonly SkippedSetting[];
  /** The link was made by a later version of the studio. */
  readonly isNewer: boolean;
}

/** Version of the link's form. */
export const linkVersion = 1;

/** The word for files from a disk, which never travel in a link. */
export const localId = "local";

/** Stands before the key of a knob of the second method. */
export const secondPrefix: typeof enginePrefix = "second.";

const reserved: readonly string[] = ["preset", "v", "method", "secondMethod", ...placeKeys];

/** The methods of a configuration; null leaves one as the preset has it. */
export interface MethodChoices {
  readonly method: string | null;
  readonly secondMethod: string | null;
}

/** A knob of the chosen methods with its key in `params`. */
export interface Knob {
  readonly key: string;
  readonly spec: ObjectiveCard["parameters"][number];
}

/** Every knob that a configuration has: the method's own and, behind the prefix, the second method's. */
export function knobsOf(
  { method, secondMethod }: Pick<RunConfig, "method" | "secondMethod">,
  description: Description,
): Knob[] {
  const specsOf = (wanted: string) =>
    description.objectives.find(({ id }) => id === wanted)?.parameters ?? [];
  return [
    ...specsOf(method).map((spec) => ({ key: spec.key, spec })),
    ...specsOf(secondMethod).map((spec) => ({ key: `${secondPrefix}${spec.key}`, spec })),
  ];
}

/** Starting values of the knobs of a configuration's methods. */
export function defaultParams(
  methods: Pick<RunConfig, "method" | "secondMethod">,
  description: Description,
): Record<string, number> {
  return Object.fromEntries(knobsOf(methods, description).map(({ key, spec }) => [key, spec.default]));
}

/** The objective a set is trained on: the one asked for, else its first; empty when it has only one. */
export function objectiveFor(data: string, wanted: string, description: Description): string {
  const objectives = description.datasets.find(({ id }) => id === data)?.objectives ?? [];
  if (objectives.length < 2) return "";
  return (objectives.find(({ id }) => id === wanted) ?? objectives[0])?.id ?? "";
}

/** A set as it comes, with the columns that it tells itself. */
export const unchangedData: Pick<RunConfig, "dataLayout" | "dataColumns" | "dataSteps"> = {
  dataLayout: "",
  dataColumns: {},
  dataSteps: [],
};

/** The configuration that a link with this preset and these methods starts from. */
export function linkBase(presetId: string, choices: MethodChoices, description: Description): RunConfig {
  const preset = description.presets.find(({ id }) => id === presetId) ?? description.presets[0];
  if (preset === undefined) throw new Error("The trainer described no preset.");
  const { config } = preset;
  const method = choices.method ?? config.method;
  const secondMethod = choices.secondMethod ?? config.secondMethod;
  const params: Record<string, number> = {};
  for (const { key, spec } of knobsOf({ method, secondMethod }, description)) {
    const isKept = key.startsWith(secondPrefix)
      ? secondMethod === config.secondMethod
      : method === config.method;
    params[key] = (isKept ? config.params[key] : undefined) ?? spec.default;
  }
  return { ...config, method, secondMethod, params };
}

/** The address of a configuration, beginning with `#`; its seed is always part of it. */
export function formatLink(config: RunConfig, presetId: string, description: Description): string {
  const preset = linkBase(presetId, { method: null, secondMethod: null }, description);
  const base = linkBase(presetId, config, description);
  const parts = [`preset=${encodeURIComponent(presetId)}`];
  for (const field of ["method", "secondMethod"] as const) {
    if (config[field] !== preset[field]) parts.push(`${field}=${encodeURIComponent(config[field])}`);
  }
  for (const [key, value] of Object.entries(config.params)) {
    if (value !== base.params[key]) parts.push(`${encodeURIComponent(key)}=${value}`);
  }
  const isOwnSet = !description.datasets.some(({ id }) => id === config.data);
  for (const field of configFields) {
    if (reserved.includes(field) || field === "params" || field === "seed") continue;
    // Names of columns and texts of a person's own set stay with it.
    if (isOwnSet && field in unchangedData) continue;
    const value = config[field];
    if (value === localId || field === "adapters" || textOfSetting(value) === textOfSetting(base[field]))
      continue;
    parts.push(`${field}=${encodeURIComponent(textOfSetting(value)).replaceAll("%2C", ",")}`);
  }
  parts.push(`seed=${config.seed}`, `v=${linkVersion}`);
  return `#/train?${parts.join("&")}`;
}

/** Reads an address; never throws, and lists what it left out. */
export function readLink(hash: string, description: Description): ReadLink {
  const settings = linkSettings(hash);
  const skipped: SkippedSetting[] = [];
  const presetId = readPreset(settings, description, skipped);
  const method = readMethod("method", settings, { description, skipped });
  const secondMethod = readMethod("secondMethod", settings, { description, skipped });
  let config = linkBase(presetId, { method, secondMethod }, description);
  for (const [key, text] of settings) {
    if (reserved.includes(key)) continue;
    const result = readSetting(key, text, config, description);
    if (typeof result === "string") skipped.push({ setting: `${key}=${text}`.slice(0, 80), reason: result });
    else config = result;
  }
  config = { ...config, objective: objectiveFor(config.data, config.objective, description) };
  const version = settings.find(([key]) => key === "v")?.[1] ?? "";
  return { presetId, config, skipped, isNewer: Number(version) > linkVersion };
}

function linkSettings(hash: string): [string, string][] {
  const start = hash.indexOf("?");
  if (start < 0) return [];
  return [...new URLSearchParams(hash.slice(start + 1)).entries()];
}

function readPreset(
  settings: readonly [string, string][],
  description: Description,
  skipped: SkippedSetting[],
): string {
  const first = description.presets[0]?.id ?? "";
  const wanted = settings.find(([key]) => key === "preset")?.[1];
  if (wanted === undefined || description.presets.some(({ id }) => id === wanted)) return wanted ?? first;
  skipped.push({ setting: `preset=${wanted}`.slice(0, 80), reason: "there is no such preset" });
  return first;
}

function readMethod(
  field: keyof MethodChoices,
  settings: readonly [string, string][],
  { description, skipped }: { readonly description: Description; readonly skipped: SkippedSetting[] },
): string | null {
  const wanted = settings.find(([key]) => key === field)?.[1];
  if (wanted === undefined || description.objectives.some(({ id }) => id === wanted)) return wanted ?? null;
  if (field === "secondMethod" && wanted === "") return wanted;
  skipped.push({ setting: `${field}=${wanted}`.slice(0, 80), reason: "there is no such method" });
  return null;
}

/** The configuration with one setting of the link, or why that setting is left out. */
function readSetting(
  key: string,
  text: string,
  config: RunConfig,
  description: Description,
): RunConfig | string {
  const field = configFields.find((name) => name === key);
  if (field === undefined || field === "params") return readParam(key, text, config, description);
  if (text === localId) return "files from a disk never travel in a link";
  if (field === "adapters") return "adapters of this browser's shelf never travel in a link";
  if (field === "model" && !description.models.some(({ id }) => id === text)) return missingModel(text);
  if (field === "data" && text.startsWith("hub:"))
    return "nothing is downloaded from a Hub unasked: take the set on the Data screen";
  if (field === "data" && !description.datasets.some(({ id }) => id === text)) return "there is no such set";
  const checked = meaningsOf(config[field], text)
    .map((value) => runConfigSchema.shape[field].safeParse(value))
    .find(({ success }) => success);
  if (checked === undefined) return "the value is not allowed here";
  return { ...config, [field]: checked.data };
}

function missingModel(id: string): string {
  return isShelfId(id)
    ? "this model is not on this browser’s shelf: get it on the Models screen"
    : "there is no such model";
}

function readParam(
  key: string,
  text: string,
  config: RunConfig,
  description: Description,
): RunConfig | string {
  const spec = knobsOf(config, description).find((knob) => knob.key === key)?.spec;
  if (spec === undefined) return "the setting is unknown";
  const value = parseNumber(text);
  if (!(value >= spec.minimum && value <= spec.maximum)) {
    return `the value must be between ${spec.minimum} and ${spec.maximum}`;
  }
  if ((spec.isWhole === true || spec.choices !== undefined) && !Number.isInteger(value)) {
    return "the value must be a whole number";
  }
  return { ...config, params: { ...config.params, [key]: value } };
}

/** What a text can mean for a setting of this kind; a list is one of names or of numbers. */
function meaningsOf(like: unknown, text: string): unknown[] {
  if (typeof like === "number") return [parseNumber(text)];
  if (typeof like === "boolean") return [text === "true" ? true : text === "false" ? false : null];
  if (text === "null" && typeof like === "object" && !Array.isArray(like)) return [null];
  if (typeof like === "object" && text.startsWith(Array.isArray(like) ? "[" : "{")) return [parseJson(text)];
  if (!Array.isArray(like)) return [text];
  const items = text === "" ? [] : text.split(",");
  return [items, items.map(parseNumber)];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseNumber(text: string): number {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
