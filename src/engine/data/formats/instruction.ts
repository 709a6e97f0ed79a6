/** What Alpaca's layouts have in common. */
import type { ChatMessage } from "../../tokenizer/chatTemplate.ts";
import { user, type Cells } from "./cells.ts";
import { role } from "./dataFormat.ts";

/** The columns of an instruction. */
export const instructionRoles = [role("instruction", "text"), role("input", "text", { isOptional: true })];

/** The instruction, and on the next line its input where there is one. */
export function readInstruction(cells: Cells): readonly ChatMessage[] {
  const instruction = cells.text("instruction");
  const input = cells.has("input") ? cells.text("input") : "";
  return [user(input.trim() === "" ? instruction : `${instruction}\n${input}`)];
}
