import type { Description } from "../../worker/protocol.ts";
import { settingTexts } from "../text.ts";

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
    const specs = description?.objectives.flatMap(({ parameters }) => parameters) ?? [];
    return specs.find((spec) => spec.key === key)?.label ?? key;
  }
  const known: Record<string, { readonly label: string }> = settingTexts;
  return known[field]?.label ?? otherLabels[field] ?? field;
}
