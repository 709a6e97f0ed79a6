import { completionAliases, labelAliases, promptAliases } from "./aliases.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";

/** TRL's unpaired layout: an answer to a prompt, labelled good or bad. */
export const kto: DataFormat = {
  id: "kto",
  label: "Answers labelled good or bad (KTO)",
  kind: "unpaired",
  roles: [
    role("prompt", "textOrMessages", { aliases: promptAliases }),
    role("completion", "textOrMessages", { aliases: completionAliases }),
    role("label", "boolean", { aliases: labelAliases }),
  ],
  recognises: (cells) => typeof cells.textOrMessages("prompt") === typeof cells.textOrMessages("completion"),
  readRow: (cells) => {
    const [prompt, completion] = [cells.textOrMessages("prompt"), cells.textOrMessages("completion")];
    if (typeof prompt !== typeof completion)
      throw new BadRow("wrongType", "prompt and completion must be both texts or both lists of messages");
    return { kind: "labelled", prompt, completion, isGood: cells.boolean("label") };
  },
};
