import type { ChatMessage } from "../../tokenizer/chatTemplate.ts";
import type { Cells } from "./cells.ts";
import { BadRow } from "./dataFormat.ts";

/** A conversation, split before its last message, which must be the assistant's. */
export function readLastAnswer(
  cells: Cells,
  role: string,
): { readonly prompt: readonly ChatMessage[]; readonly answer: readonly ChatMessage[] } {
  const messages = cells.messages(role);
  const column = cells.column(role);
  const last = messages.at(-1);
  if (last?.role !== "assistant")
    throw new BadRow(
      "wrongType",
      `the last message of "${column}" is the ${last?.role}'s, expected the assistant's`,
    );
  if (messages.length < 2) throw new BadRow("emptyPrompt", `"${column}" holds an answer and no prompt`);
  return { prompt: messages.slice(0, -1), answer: [last] };
}
