import type { ChatMessage } from "../tokenizer/chatTemplate.ts";

/** A prompt or an answer: plain text, or the turns of a conversation. */
export type Text = string | readonly ChatMessage[];

/** One preference pair in the form that every dataset layout is read into. */
export interface PairRow {
  readonly prompt: Text;
  readonly chosen: Text;
  readonly rejected: Text;
  /** What the rejected answer answers, where that is another prompt: rows whose answers are labelled one by one. */
  readonly rejectedPrompt?: Text;
  /** Only the chosen answer is there, to be copied: `rejected` is empty. */
  readonly isSingle?: true;
  /** Where a model has no chat template, the turns are written `\n\nHuman: … \n\nAssistant: …`, as the set has them. */
  readonly isTranscript?: true;
  /** Which objective the pair speaks for, in sets with several. */
  readonly objective?: string;
  /** A judge's scores of the two answers. */
  readonly scores?: { readonly chosen: number; readonly rejected: number };
  /** How much the pair counts, from a column of the data; finite and not negative. */
  readonly weight?: number;
  /** File name, and line (JSONL) or entry (JSON) counted from 1. */
  readonly source: { readonly file: string; readonly row: number };
}

/** An answer that is labelled good or bad by itself. */
export interface LabelledRow {
  readonly prompt: Text;
  readonly completion: Text;
  readonly isGood: boolean;
  readonly source: PairRow["source"];
}

/** Why a row was left out. */
export type ProblemKind =
  | "invalidJson"
  | "unknownColumns"
  | "missingColumn"
  | "wrongType"
  | "badNumber"
  | "emptyPrompt"
  | "promptFills"
  | "emptyAnswer"
  | "identicalPair"
  | "equalScores"
  | "lowScoreRatio"
  | "needsChatTemplate"
  | "templateRefuses";

/** A row that was left out, by its number in its file. */
export interface RowProblem {
  readonly row: number;
  /** Name of its file, where the row was left out when the file was read. */
  readonly file?: string;
  readonly kind: ProblemKind;
  /** A sentence part for people, such as `the column "rejected" is missing`. */
  readonly reason: string;
}

/** The characters of a text or of the contents of its messages. */
export function textOf(text: Text): string {
  return typeof text === "string" ? text : text.map(({ content }) => content).join("\n");
}

/** Whether a text says nothing. */
export function isBlank(text: Text): boolean {
  return textOf(text).trim() === "";
}

/** Whether two texts are the same, turn by turn. */
export function isSameText(first: Text, second: Text): boolean {
  if (typeof first === "string" || typeof second === "string") return first === second;
  return (
    first.length === second.length &&
    first.every(({ role, content }, i) => role === second[i]?.role && content === second[i].content)
  );
}
