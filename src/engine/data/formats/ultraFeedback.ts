import type { Text } from "../row.ts";
import { user } from "./cells.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";
import { extraRoles, readExtras } from "./extras.ts";
import { commonTurns } from "./trlImplicit.ts";

/** UltraFeedback, binarized: conversations that repeat the prompt, with scores. Source: huggingface.co/datasets/HuggingFaceH4/ultrafeedback_binarized. */
export const ultraFeedback: DataFormat = {
  id: "ultraFeedback",
  label: "Conversations beside their prompt (UltraFeedback)",
  kind: "pairs",
  roles: [
    role("prompt", "text", { aliases: ["instruction", "question"] }),
    role("chosen", "messages"),
    role("rejected", "messages"),
    ...extraRoles,
  ],
  readRow: (cells) => {
    const [chosen, rejected] = [cells.messages("chosen"), cells.messages("rejected")];
    const extras = readExtras(cells);
    const { scores } = extras;
    if (scores !== undefined && scores.chosen === scores.rejected)
      throw new BadRow("equalScores", `both answers have the score ${scores.chosen}`);
    const count = commonTurns(chosen, rejected);
    const prompt: Text = count > 0 ? chosen.slice(0, count) : [user(cells.text("prompt"))];
    return { kind: "pair", prompt, chosen: chosen.slice(count), rejected: rejected.slice(count), ...extras };
  },
};
