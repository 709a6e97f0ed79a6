/** What is typed for a judge, field by field as its card describes it, and the judge that it makes. */
import { judgeFlaw } from "../../../state/judges.ts";
import type { JudgeCard, JudgeField, JudgeList, JudgeSpec } from "../../../worker/protocol.ts";

/** Texts by the key of a field; several words or texts stand one a line. */
export type JudgeDraft = Readonly<Record<string, string>>;

/** The draft that a card begins with. */
export function draftOf({ fields, initial }: JudgeCard): JudgeDraft {
  const values = initial as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    fields.map(({ key }) => {
      const value = values[key];
      return [key, Array.isArray(value) ? value.join("\n") : String(value)];
    }),
  );
}

/** What a field of the form "choice" offers. */
export function choicesOf(kind: JudgeSpec["kind"], list: JudgeList): { value: string; label: string }[] {
  const found = kind === "program" ? list.programs : kind === "rewardModel" ? list.rewardModels : [];
  return found.map(({ id, label }) => ({ value: id, label }));
}

/** The judge that was typed, or why it is none yet. */
export function judgeOf(
  { kind, fields }: JudgeCard,
  draft: JudgeDraft,
): { readonly judge: JudgeSpec } | { readonly problem: string } {
  const judge = {
    kind,
    ...Object.fromEntries(fields.map((field) => [field.key, valueOf(field, draft[field.key] ?? "")])),
  } as unknown as JudgeSpec;
  const problem = emptyField(fields, judge) ?? judgeFlaw(judge);
  return problem === null ? { judge } : { problem };
}

function valueOf({ form }: JudgeField, text: string): string | number | string[] {
  if (form === "count") return text.trim() === "" ? Number.NaN : Number(text);
  if (form !== "words") return text;
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

/** A sentence where nothing was typed that could make a difference. */
function emptyField(fields: readonly JudgeField[], judge: JudgeSpec): string | null {
  const values = judge as unknown as Readonly<Record<string, unknown>>;
  const isEmpty = ({ key }: JudgeField) =>
    values[key] === "" || (Array.isArray(values[key]) && values[key].length === 0);
  if (fields.length === 0 || !fields.every(isEmpty)) return null;
  const [first] = fields;
  if (first?.form === "choice") return "There is none to choose.";
  return `Type something into “${first?.label}”.`;
}
