import { role, type DataFormat } from "./dataFormat.ts";
import { readLastAnswer } from "./lastAnswer.ts";

/** Conversations whose last answer is to be copied. */
export const sftMessages: DataFormat = {
  id: "sftMessages",
  label: "Conversations (SFT)",
  kind: "sft",
  roles: [role("messages", "messages", { aliases: ["conversations", "conversation"] })],
  readRow: (cells) => {
    const { prompt, answer } = readLastAnswer(cells, "messages");
    return { kind: "pair", prompt, chosen: answer, rejected: [], isSingle: true };
  },
};
