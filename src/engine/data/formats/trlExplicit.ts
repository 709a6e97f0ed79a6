import { extraRoles, readExtras } from "./extras.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";
import { chosenAliases, promptAliases, rejectedAliases } from "./aliases.ts";

/** TRL's preference layout with an explicit prompt, as texts or messages; nothing is put between prompt and answer. */
export const trlExplicit: DataFormat = {
  id: "trlExplicit",
  label: "Pairs with a prompt (TRL)",
  kind: "pairs",
  roles: [
    role("prompt", "textOrMessages", { aliases: promptAliases }),
    role("chosen", "textOrMessages", { aliases: chosenAliases }),
    role("rejected", "textOrMessages", { aliases: rejectedAliases }),
    ...extraRoles,
  ],
  recognises: (cells) =>
    new Set(["prompt", "chosen", "rejected"].map((id) => typeof cells.textOrMessages(id))).size === 1,
  readRow: (cells) => {
    const prompt = cells.textOrMessages("prompt");
    const chosen = cells.textOrMessages("chosen");
    const rejected = cells.textOrMessages("rejected");
    if (typeof chosen !== typeof prompt || typeof rejected !== typeof prompt)
      throw new BadRow("wrongType", "prompt, chosen and rejected must be all texts or all lists of messages");
    return { kind: "pair", prompt, chosen, rejected, ...readExtras(cells) };
  },
};
