import { role, type DataFormat } from "./dataFormat.ts";

/** Plain texts to copy whole: every token is scored. */
export const sftText: DataFormat = {
  id: "sftText",
  label: "Texts (SFT)",
  kind: "sft",
  roles: [role("text", "text", { aliases: ["content", "story", "body"] })],
  readRow: (cells) => ({
    kind: "pair",
    prompt: "",
    chosen: cells.text("text"),
    rejected: "",
    isSingle: true,
  }),
};
