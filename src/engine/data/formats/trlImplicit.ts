import { isSameText, type Text } from "../row.ts";
import { chosenAliases, rejectedAliases } from "./aliases.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";
import { extraRoles, readExtras } from "./extras.ts";

type Messages = Exclude<Text, string>;

/** Scripts that write words without spaces between them. */
const UNSPACED = /[\u3040-\u30ff\u3400-\u9fff]/;

/** How many characters two texts begin with in common, up to a word boundary; a space belongs to what follows it. */
function commonWords(first: string, second: string): number {
  const shorter = Math.min(first.length, second.length);
  let end = 0;
  while (end < shorter && first[end] === second[end]) end++;
  if (end === shorter) end--;
  while (end > 0 && !/\s/.test(first[end] ?? "") && !UNSPACED.test(first[end - 1] ?? "")) end--;
  while (end > 0 && /\s/.test(first[end - 1] ?? "")) end--;
  return Math.max(0, end);
}

/** How many turns two conversations begin with in common; at least one of each stays an answer. */
export function commonTurns(first: Messages, second: Messages): number {
  const shorter = Math.min(first.length, second.length);
  let count = 0;
  while (count < shorter - 1 && isSameText(first.slice(count, count + 1), second.slice(count, count + 1)))
    count++;
  return count;
}

function splitTexts(chosen: string, rejected: string) {
  const end = commonWords(chosen, rejected);
  return { prompt: chosen.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) };
}

function splitTurns(chosen: Messages, rejected: Messages) {
  const count = commonTurns(chosen, rejected);
  if (count === 0)
    throw new BadRow(
      "emptyPrompt",
      "the two conversations do not begin with the same message, so there is no prompt",
    );
  return { prompt: chosen.slice(0, count), chosen: chosen.slice(count), rejected: rejected.slice(count) };
}

/** TRL's preference layout whose prompt is what both answers begin with. */
export const trlImplicit: DataFormat = {
  id: "trlImplicit",
  label: "Pairs that contain their prompt (TRL)",
  kind: "pairs",
  roles: [
    role("chosen", "textOrMessages", { aliases: chosenAliases }),
    role("rejected", "textOrMessages", { aliases: rejectedAliases }),
    ...extraRoles,
  ],
  recognises: (cells) => typeof cells.textOrMessages("chosen") === typeof cells.textOrMessages("rejected"),
  readRow: (cells) => {
    const chosen = cells.textOrMessages("chosen");
    const rejected = cells.textOrMessages("rejected");
    const extras = readExtras(cells);
    if (typeof chosen === "string" && typeof rejected === "string")
      return { kind: "pair", ...splitTexts(chosen, rejected), ...extras };
    if (typeof chosen !== "string" && typeof rejected !== "string")
      return { kind: "pair", ...splitTurns(chosen, rejected), ...extras };
    throw new BadRow("wrongType", "chosen and rejected must be both texts or both lists of messages");
  },
};
