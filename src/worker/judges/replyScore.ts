/** What a language model said, as a score. */
import type { Verdict } from "../../engine/judges/answerJudge.ts";
import { withoutSecret } from "./secretText.ts";

/** Scores that are asked for go from 0 to this. */
export const HIGHEST_GRADE = 10;
/** Characters of a reply that are quoted, and that are looked at for it. */
const QUOTED = 80;
const READ = 400;
/** Characters of a reply that may be read as one number. */
const LONGEST_REPLY = 1000;
const THOUGHTS_END = "</think>";
const OUT_OF = /(-?\d+(?:[.,]\d+)?)\s*(?:\/|out of)\s*10(?![\d.,]*\d)/gi;
const NUMBER = /-?\d+(?:[.,]\d+)?/g;

/**
 * The verdict of a reply in which exactly one number from 0 to 10 stands, mapped to −1 to 1 ("7", "Score: 7.5", "7/10"); thoughts before it
 * (`</think>`) are left out. Any other reply fails, and the reason quotes at most 80 characters of it, without the secret.
 */
export function replyScore(reply: string, secret: string): Verdict {
  const thoughts = reply.lastIndexOf(THOUGHTS_END);
  const said = reply.slice(thoughts < 0 ? 0 : thoughts + THOUGHTS_END.length).trim();
  if (said === "") return { reason: "The endpoint's reply is empty." };
  const failed = (what: string): Verdict => ({
    reason: `The endpoint's reply ${what}: "${quote(said, secret)}"`,
  });
  if (said.length > LONGEST_REPLY) return failed(`has ${said.length} characters in place of one number`);
  const numbers = said.replaceAll(OUT_OF, "$1").match(NUMBER) ?? [];
  const [first] = numbers;
  if (first === undefined) return failed("has no number");
  if (numbers.length > 1) return failed(`has ${numbers.length} numbers in place of one`);
  const grade = Number(first.replace(",", "."));
  if (!(grade >= 0 && grade <= HIGHEST_GRADE)) return failed(`is not from 0 to ${HIGHEST_GRADE}`);
  return { score: (2 * grade - HIGHEST_GRADE) / HIGHEST_GRADE };
}

function quote(said: string, secret: string): string {
  const told = withoutSecret(said.slice(0, READ), secret).replaceAll(/\s+/g, " ");
  return told.length <= QUOTED ? told : `${told.slice(0, QUOTED - 1)}…`;
}

/** The text of a reply of `/chat/completions`; null where it has none. */
export function replyText(body: unknown): string | null {
  const [choice] = listOf(body, "choices");
  const content = fieldOf(fieldOf(choice, "message"), "content");
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return null;
  return content
    .map((part) => fieldOf(part, "text"))
    .filter((text) => typeof text === "string")
    .join("");
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function listOf(value: unknown, key: string): readonly unknown[] {
  const list = fieldOf(value, key);
  return Array.isArray(list) ? list : [];
}
