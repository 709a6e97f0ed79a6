import { labelAliases } from "./aliases.ts";
import { role, type DataFormat } from "./dataFormat.ts";
import { readLastAnswer } from "./lastAnswer.ts";

/** LLaMA-Factory's unpaired layout: a conversation whose last answer is labelled. Source: github.com/hiyouga/LLaMA-Factory, data/README.md. */
export const ktoMessages: DataFormat = {
  id: "ktoMessages",
  label: "Conversations labelled good or bad (KTO)",
  kind: "unpaired",
  roles: [
    role("messages", "messages", { aliases: ["conversations", "conversation"] }),
    role("label", "boolean", { aliases: labelAliases }),
  ],
  readRow: (cells) => {
    const { prompt, answer } = readLastAnswer(cells, "messages");
    return { kind: "labelled", prompt, completion: answer, isGood: cells.boolean("label") };
  },
};
