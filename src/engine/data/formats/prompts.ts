import { promptAliases } from "./aliases.ts";
import { role, type DataFormat } from "./dataFormat.ts";

/** Prompts without answers, to sample from. */
export const prompts: DataFormat = {
  id: "prompts",
  label: "Prompts only",
  kind: "prompts",
  roles: [role("prompt", "textOrMessages", { aliases: promptAliases })],
  readRow: (cells) => ({ kind: "prompt", prompt: cells.textOrMessages("prompt") }),
};
