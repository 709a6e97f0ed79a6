import { assistant } from "./cells.ts";
import { role, type DataFormat } from "./dataFormat.ts";
import { extraRoles, readExtras } from "./extras.ts";
import { instructionRoles, readInstruction } from "./instruction.ts";

/** LLaMA-Factory's ranking of answers to Alpaca's instructions. Source: github.com/hiyouga/LLaMA-Factory, data/README.md. */
export const alpacaRanking: DataFormat = {
  id: "alpacaRanking",
  label: "Instruction and two answers (LLaMA-Factory, Alpaca)",
  kind: "pairs",
  roles: [...instructionRoles, role("chosen", "text"), role("rejected", "text"), ...extraRoles],
  readRow: (cells) => ({
    kind: "pair",
    prompt: readInstruction(cells),
    chosen: assistant(cells.text("chosen")),
    rejected: assistant(cells.text("rejected")),
    ...readExtras(cells),
  }),
};
