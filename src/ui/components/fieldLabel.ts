import { secondPrefix } from "../../state/link.ts";
import type { ConfigValue } from "../../state/configChanges.ts";
import type { Description } from "../../worker/description.ts";
import { formatConfigValue } from "../format.ts";
import { choiceTexts, settingTexts } from "../text.ts";

const otherLabels: Record<string, string> = {
  model: "Model",
  data: "Data",
  objective: "Objective",
  method: "Method",
};

/** A setting's name as the form prints it; `params.beta` is a knob of a method. */
export function fieldLabel(field: string, description: Description | null): string {
  if (field.startsWith("params.")) {
    const key = field.slice("params.".length);
    const isSecond = key.startsWith(secondPrefix);
    const own = isSecond ? key.slice(secondPrefix.length) : key;
    const specs = description?.objectives.flatMap(({ parameters }) => parameters) ?? [];
    const label = specs.find((spec) => spec.key === own)?.label ?? own;
    return isSecond ? `Second ${label}` : label;
  }
  const known: Record<string, { readonly label: string }> = settingTexts;
  return known[field]?.label ?? otherLabels[field] ?? field;
}

/** A setting's value as the form prints it: the name of a method, a set or a choice, or the number. */
export function fieldValue(field: string, value: ConfigValue, description: Description | null): string {
  const choices: Record<string, Readonly<Record<string, string>>> = choiceTexts;
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
