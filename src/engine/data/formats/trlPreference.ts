import type { ChatMessage } from "../../tokenizer/chatTemplate.ts";
import type { Text } from "../row.ts";
import type { PairFormat, RawRow } from "./pairFormat.ts";

/** A value that cannot be read as a text, caught again where the row is reported. */
class WrongType extends Error {}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  return (
    "role" in value &&
    typeof value.role === "string" &&
    "content" in value &&
    typeof value.content === "string"
  );
}

function readText(raw: RawRow, column: string): Text {
  const value = raw[column];
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.length > 0 && value.every(isMessage))
    return value.map(({ role, content }) => ({ role, content }));
  const found = Array.isArray(value) ? "another list" : value === null ? "null" : `a ${typeof value}`;
  throw new WrongType(`the column "${column}" holds ${found}, expected a text or a list of messages`);
}

function readScores(raw: RawRow): { chosen: number; rejected: number } | null {
  const { score_chosen: chosen, score_rejected: rejected } = raw;
  if ((chosen ?? null) === null && (rejected ?? null) === null) return null;
  if (typeof chosen === "number" && typeof rejected === "number") return { chosen, rejected };
  throw new WrongType('the columns "score_chosen" and "score_rejected" must both hold numbers');
}

function readObjective(raw: RawRow): string | null {
  const objective = raw["objective"] ?? null;
  if (objective === null || typeof objective === "string") return objective;
  throw new WrongType(`the column "objective" holds a ${typeof objective}, expected a text`);
}

/** TRL's preference layout with an explicit prompt; nothing is put between prompt and answer. */
export const trlPreference: PairFormat = {
  columns: ["prompt", "chosen", "rejected"],
  readRow: (raw) => {
    try {
      const prompt = readText(raw, "prompt");
      const chosen = readText(raw, "chosen");
      const rejected = readText(raw, "rejected");
      if (typeof chosen !== typeof prompt || typeof rejected !== typeof prompt)
        throw new WrongType("prompt, chosen and rejected must be all texts or all lists of messages");
      const scores = readScores(raw);
      const objective = readObjective(raw);
      return {
        row: {
          prompt,
          chosen,
          rejected,
          ...(objective === null ? {} : { objective }),
          ...(scores ? { scores } : {}),
        },
      };
    } catch (error) {
      if (error instanceof WrongType) return { problem: { kind: "wrongType", reason: error.message } };
      throw error;
    }
  },
};
