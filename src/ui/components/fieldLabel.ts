import type { RunConfig } from "../../engine/training/config.ts";
import { secondPrefix } from "../../state/link.ts";
import type { ConfigValue } from "../../state/configChanges.ts";
import { judgeLabel, judgeList } from "../../state/judges.ts";
import { useShelfStore } from "../../state/shelfStore.ts";
import type { Description } from "../../worker/description.ts";
import type { JudgeSpec, WeightedJudge } from "../../worker/protocol.ts";
import { formatConfigValue, formatSetting } from "../format.ts";
import { choiceTexts, settingTexts } from "../text.ts";

const otherLabels: Record<string, string> = {
  model: "Model",
  adapters: "Adapters",
  data: "Data",
  objective: "Objective",
  method: "Method",
};

/** A setting's name as the form prints it; `params.beta` is a knob of a method. */
export function fieldLabel(field: string, description: Description | null): string {
  if (field.startsWith("params.")) {
    const label = specOf(field, description)?.label ?? knobKey(field);
    return field.startsWith(`params.${secondPrefix}`) ? `Second ${label}` : label;
  }
  const known: Record<string, { readonly label: string }> = settingTexts;
  // A part of a list, such as `judges.0.weight`, is named as the whole.
  const whole = field.split(".")[0] ?? field;
  return known[whole]?.label ?? otherLabels[whole] ?? field;
}

/** Adapters with their scales by the names that they have on the shelf. */
export function adaptersText(adapters: RunConfig["adapters"]): string {
  const kept = useShelfStore.getState().shelf?.adapters ?? [];
  const names = adapters.map(
    ({ id, scale }) => `${kept.find((adapter) => adapter.id === id)?.label ?? id} × ${formatSetting(scale)}`,
  );
  return names.join(", ") || "–";
}

/** The key of a knob as its method declares it. */
function knobKey(field: string): string {
  const key = field.slice("params.".length);
  return key.startsWith(secondPrefix) ? key.slice(secondPrefix.length) : key;
}

/** The knob of a field; knobs of several methods that share a key are the same knob. */
function specOf(field: string, description: Description | null) {
  if (!field.startsWith("params.")) return undefined;
  const specs = description?.objectives.flatMap(({ parameters }) => parameters) ?? [];
  return specs.find(({ key }) => key === knobKey(field));
}

/** Judges by their names with their weights, or the one kept aside; without any, those of the set stand for them. */
function judgesText(value: ConfigValue): string {
  const list = judgeList.useStore.getState().answer;
  if (!Array.isArray(value)) return value ? judgeLabel(value as JudgeSpec, list) : "the set’s own";
  const names = (value as readonly WeightedJudge[]).map(
    ({ judge, weight }) => `${judgeLabel(judge, list)} × ${formatSetting(weight)}`,
  );
  return names.join(", ") || "the set’s own";
}

/** A setting's value as the form prints it: the name of a method, a set or a choice, or the number. */
export function fieldValue(field: string, value: ConfigValue, description: Description | null): string {
  if (field === "judges" || field === "heldoutJudge") return judgesText(value);
  if (field === "adapters" && Array.isArray(value)) return adaptersText(value as RunConfig["adapters"]);
  const choices: Record<string, Readonly<Record<string, string>>> = choiceTexts;
  const names = specOf(field, description)?.choices;
  if (names !== undefined) return names[Number(value)] ?? formatConfigValue(value);
  const lists: Record<string, readonly { readonly id: string; readonly label: string }[] | undefined> = {
    method: description?.objectives,
    secondMethod: description?.objectives,
    data: description?.datasets,
    model: description?.models,
    objective: description?.datasets.flatMap(({ objectives }) => objectives),
  };
  const text = formatConfigValue(value);
  return choices[field]?.[text] ?? lists[field]?.find(({ id }) => id === value)?.label ?? text;
}
