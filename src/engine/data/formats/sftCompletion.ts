import { completionAliases, promptAliases } from "./aliases.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";

/** Prompts with the answer to copy, as texts or messages. */
export const sftCompletion: DataFormat = {
  id: "sftCompletion",
  label: "Prompt and answer (SFT)",
  kind: "sft",
  roles: [
    role("prompt", "textOrMessages", { aliases: promptAliases }),
    role("completion", "textOrMessages", { aliases: completionAliases }),
  ],
  recognises: (cells) => typeof cells.textOrMessages("prompt") === typeof cells.textOrMessages("completion"),
  readRow: (cells) => {
    const [prompt, chosen] = [cells.textOrMessages("prompt"), cells.textOrMessages("completion")];
    if (typeof prompt !== typeof chosen)
      throw new BadRow("wrongType", "prompt and completion must be both texts or both lists of messages");
    return { kind: "pair", prompt, chosen, rejected: typeof chosen === "string" ? "" : [], isSingle: true };
  },
};
