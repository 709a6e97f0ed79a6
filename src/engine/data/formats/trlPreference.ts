import type { ChatMessage } from "../../tokenizer/chatTemplate.ts";
import type { ProblemKind, Text } from "../row.ts";
import type { PairFormat, RawRow } from "./pairFormat.ts";

/** A value that cannot be read, caught again where the row is reported. */
class WrongType extends Error {
  readonly kind: ProblemKind = "wrongType";
}

/** A number that cannot be calculated with. */
class BadNumber extends WrongType {
  override readonly kind = "badNumber";
}

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
  if (typeof chosen === "number" && typeof rejected === "number") {
    if (Number.isFinite(chosen - rejected)) return { chosen, rejected };
    throw new BadNumber(`the scores are ${chosen} and ${rejected}, expected finite numbers`);
  }
  throw new WrongType('the columns "score_chosen" and "score_rejected" must both hold numbers');
}

function readWeight(raw: RawRow): number | null {
  const weight = raw["weight"] ?? null;
  if (weight === null) return null;
  if (typeof weight !== "number") {
    throw new WrongType(`the column "weight" holds a ${typeof weight}, expected a number`);
  }
  if (Number.isFinite(weight) && weight >= 0) return weight;
  throw new BadNumber(`the weight is ${weight}, expected a finite number of at least 0`);
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
      const weight = readWeight(raw);
      return {
        row: {
          prompt,
          chosen,
          rejected,
          ...(objective === null ? {} : { objective }),
          ...(scores ? { scores } : {}),
          ...(weight === null ? {} : { weight }),
        },
      };
    } catch (error) {
      if (error instanceof WrongType) return { problem: { kind: error.kind, reason: error.message } };
      throw error;
    }
  },
};
