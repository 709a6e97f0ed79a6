import { assistant, user, type Cells } from "./cells.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";

/** Which of the two responses a column names. */
function named(cells: Cells): 0 | 1 {
  const id = cells.number("better");
  if (id === 0 || id === 1) return id;
  throw new BadRow(
    "badNumber",
    `the column "${cells.column("better")}" names the response ${id}, expected 0 or 1`,
  );
}

function pkuFormat(id: string, label: string, column: string): DataFormat {
  return {
    id,
    label,
    kind: "pairs",
    needsChoice: true,
    roles: [
      role("prompt", "text"),
      role("response0", "text", { column: "response_0" }),
      role("response1", "text", { column: "response_1" }),
      role("better", "number", { column }),
    ],
    readRow: (cells) => {
      const answers = [assistant(cells.text("response0")), assistant(cells.text("response1"))] as const;
      const better = named(cells);
      return {
        kind: "pair",
        prompt: [user(cells.text("prompt"))],
        chosen: answers[better],
        rejected: answers[better === 0 ? 1 : 0],
      };
    },
  };
}

/** PKU-SafeRLHF by the more helpful answer. Source: huggingface.co/datasets/PKU-Alignment/PKU-SafeRLHF. */
export const pkuHelpful = pkuFormat(
  "pkuHelpful",
  "Two responses, the more helpful chosen (PKU-SafeRLHF)",
  "better_response_id",
);

/** PKU-SafeRLHF by the safer answer. */
export const pkuSafe = pkuFormat(
  "pkuSafe",
  "Two responses, the safer chosen (PKU-SafeRLHF)",
  "safer_response_id",
);
