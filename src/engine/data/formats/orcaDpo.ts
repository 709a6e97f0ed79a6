import { assistant, user } from "./cells.ts";
import { role, type DataFormat } from "./dataFormat.ts";
import { extraRoles, readExtras } from "./extras.ts";

/** Orca's pairs: a system message and a question. Source: huggingface.co/datasets/Intel/orca_dpo_pairs. */
export const orcaDpo: DataFormat = {
  id: "orcaDpo",
  label: "System, question and two answers (Orca)",
  kind: "pairs",
  roles: [
    role("system", "text", { aliases: ["system_prompt"] }),
    role("question", "text", { aliases: ["prompt", "input", "instruction"] }),
    role("chosen", "text"),
    role("rejected", "text"),
    ...extraRoles,
  ],
  readRow: (cells) => {
    const system = cells.text("system");
    const question = user(cells.text("question"));
    return {
      kind: "pair",
      prompt: system.trim() === "" ? [question] : [{ role: "system", content: system }, question],
      chosen: assistant(cells.text("chosen")),
      rejected: assistant(cells.text("rejected")),
      ...readExtras(cells),
    };
  },
};
