import { role, type DataFormat } from "./dataFormat.ts";

/** LLaMA-Factory's ranking of ShareGPT conversations. Source: github.com/hiyouga/LLaMA-Factory, data/README.md. */
export const shareGptRanking: DataFormat = {
  id: "shareGptRanking",
  label: "Conversation and two next turns (LLaMA-Factory, ShareGPT)",
  kind: "pairs",
  roles: [
    role("conversations", "messages", { aliases: ["messages", "conversation"] }),
    role("chosen", "turn"),
    role("rejected", "turn"),
  ],
  readRow: (cells) => ({
    kind: "pair",
    prompt: cells.messages("conversations"),
    chosen: [cells.turn("chosen")],
    rejected: [cells.turn("rejected")],
  }),
};
