import type { RunConfig } from "../../engine/training/config.ts";
import type { Description } from "../../worker/description.ts";
import { formatSetting } from "../format.ts";

/** What the losses of a configuration sum to, such as `DPO + 0.1 SFT`. */
export function mixLabel(config: RunConfig, description: Description | null): string {
  const labelOf = (wanted: string) =>
    description?.objectives.find(({ id }) => id === wanted)?.label ?? wanted;
  const times = (weight: number) => (weight === 1 ? "" : `${formatSetting(weight)} `);
  const parts = [`${times(config.methodWeight)}${labelOf(config.method)}`];
  if (config.secondMethod !== "") parts.push(`${times(config.secondWeight)}${labelOf(config.secondMethod)}`);
  if (config.sftWeight > 0) parts.push(`${times(config.sftWeight)}SFT`);
  return parts.join(" + ");
}
