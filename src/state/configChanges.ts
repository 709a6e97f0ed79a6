/** What differs between two configurations, and what is wrong with one. */
import { runConfigSchema, type RunConfig } from "../engine/training/config.ts";
import type { Preflight } from "../worker/protocol.ts";

/** A value of a configuration, as one line of text can show it. */
export type ConfigValue = RunConfig[keyof RunConfig] | number | undefined;

/** One setting that differs; a method's own knob is named `params.beta`. */
export interface ConfigChange {
  readonly field: string;
  readonly from: ConfigValue;
  readonly to: ConfigValue;
}

/** Something that keeps a configuration from being trained. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

/** Settings that a running run takes over at once. */
export const liveFields = ["learningRate", "evalEvery"] as const;

/** A setting that a running run takes over at once. */
export type LiveField = (typeof liveFields)[number];

/** True for settings that need no restart. */
export function isLiveField(field: string): field is LiveField {
  return (liveFields as readonly string[]).includes(field);
}

/** Names of all settings in the order of the schema. */
export const configFields = Object.keys(runConfigSchema.shape) as readonly (keyof RunConfig)[];

/** The settings in which two configurations differ. */
export function changesBetween(from: RunConfig, to: RunConfig): ConfigChange[] {
  const changes: ConfigChange[] = [];
  for (const field of configFields) {
    if (field === "params") continue;
    if (textOfSetting(from[field]) !== textOfSetting(to[field]))
      changes.push({ field, from: from[field], to: to[field] });
  }
  for (const key of new Set([...Object.keys(from.params), ...Object.keys(to.params)])) {
    if (from.params[key] === to.params[key]) continue;
    changes.push({ field: `params.${key}`, from: from.params[key], to: to.params[key] });
  }
  return changes;
}

/** Everything that keeps a configuration from being trained, one sentence per field. */
export function problemsOf(config: RunConfig, preflight: Preflight | null): Problem[] {
  const checked = runConfigSchema.safeParse(config);
  if (!checked.success) {
    return checked.error.issues.map((issue) => ({
      field: issue.path.map(String).join("."),
      message: issueSentence(issue),
    }));
  }
  return [...(preflight?.problems ?? [])];
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  /** What kind of value it is. */
  readonly origin?: string | undefined;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly keys?: readonly string[];
  readonly expected?: unknown;
}

/** What is wrong with a value, in a sentence. */
export function issueSentence(issue: Issue): string {
  if (issue.code === "unrecognized_keys") return `There is no setting named ${issue.keys?.join(", ") ?? ""}.`;
  if (issue.path[0] === "loraTargets") return "Choose at least one module for the adapter.";
  if (issue.origin === "string" && issue.code === "too_big")
    return `At most ${String(issue.maximum)} characters.`;
  if (issue.origin === "array" && issue.code === "too_big")
    return `At most ${String(issue.maximum)} of them.`;
  if (issue.code === "too_small") return `Must be at least ${String(issue.minimum)}.`;
  if (issue.code === "too_big") return `Must be at most ${String(issue.maximum)}.`;
  if (issue.code === "invalid_value") return "This choice is not offered.";
  return issue.expected === "int" ? "A whole number is needed here." : "A number is needed here.";
}

/** A setting as a text: names and numbers as they are, with commas between those of a list, and anything else as JSON. */
export function textOfSetting(value: unknown): string {
  const items = Array.isArray(value) ? value : [value];
  return items.some((item) => typeof item === "object") ? JSON.stringify(value) : String(value);
}
