import { assistant } from "./cells.ts";
import { role, type DataFormat } from "./dataFormat.ts";
import { instructionRoles, readInstruction } from "./instruction.ts";

/** Alpaca's instructions with the answer to copy. Source: github.com/tatsu-lab/stanford_alpaca. */
export const sftInstruction: DataFormat = {
  id: "sftInstruction",
  label: "Instruction and answer (SFT, Alpaca)",
  kind: "sft",
  roles: [...instructionRoles, role("output", "text", { aliases: ["response"] })],
  readRow: (cells) => ({
    kind: "pair",
    prompt: readInstruction(cells),
    chosen: assistant(cells.text("output")),
    rejected: [],
    isSingle: true,
  }),
};
