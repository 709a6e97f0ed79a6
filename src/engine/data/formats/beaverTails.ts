import { assistant, user } from "./cells.ts";
import { role, type DataFormat } from "./dataFormat.ts";

/** BeaverTails: responses that are safe or not. Source: huggingface.co/datasets/PKU-Alignment/BeaverTails. */
export const beaverTails: DataFormat = {
  id: "beaverTails",
  label: "Responses marked as safe (BeaverTails)",
  kind: "unpaired",
  roles: [
    role("prompt", "text"),
    role("completion", "text", { column: "response" }),
    role("label", "boolean", { column: "is_safe" }),
  ],
  readRow: (cells) => ({
    kind: "labelled",
    prompt: [user(cells.text("prompt"))],
    completion: assistant(cells.text("completion")),
    isGood: cells.boolean("label"),
  }),
};
