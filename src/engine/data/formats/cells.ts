/** The values of a row by what they are for, read with a reason where they are of another type. */
import type { ChatMessage } from "../../tokenizer/chatTemplate.ts";
import { parseJson } from "../containers/parseJson.ts";
import type { Text } from "../row.ts";
import { BadRow, type RawRow, type Role } from "./dataFormat.ts";

/** What a column may hold: a text, messages or either, one `{from, value}` turn, a yes or no, or a number. */
export type Accepts = "text" | "messages" | "textOrMessages" | "turn" | "boolean" | "number";

/** The values of one row. */
export interface Cells {
  /** Whether the role has a value in this row. */
  readonly has: (role: string) => boolean;
  readonly text: (role: string) => string;
  readonly messages: (role: string) => readonly ChatMessage[];
  readonly textOrMessages: (role: string) => Text;
  /** The turn as a message. */
  readonly turn: (role: string) => ChatMessage;
  readonly boolean: (role: string) => boolean;
  readonly number: (role: string) => number;
  /** Name of the role's column. */
  readonly column: (role: string) => string;
}

/** Who speaks in ShareGPT's files, in the words of chat templates. */
const SPEAKERS: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  system: "system",
};

function isObject(value: unknown): value is RawRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A message of `{role, content}` or `{from, value}`; null where it is neither. */
function messageOf(value: unknown): ChatMessage | null {
  if (!isObject(value)) return null;
  const { role, content, from, value: said } = value;
  if (typeof role === "string" && typeof content === "string") return { role, content };
  const speaker = typeof from === "string" ? SPEAKERS[from] : undefined;
  return speaker !== undefined && typeof said === "string" ? { role: speaker, content: said } : null;
}

function messagesOf(value: unknown): ChatMessage[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const messages = value.map(messageOf);
  return messages.every((message) => message !== null) ? messages : null;
}

function booleanOf(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  if (value === 1 || value === 1n) return true;
  return value === 0 || value === 0n ? false : null;
}

const readers = {
  text: (value: unknown) => (typeof value === "string" ? value : null),
  messages: messagesOf,
  textOrMessages: (value: unknown) => (typeof value === "string" ? value : messagesOf(value)),
  turn: (value: unknown) =>
    typeof value === "string" ? { role: "assistant", content: value } : messageOf(value),
  boolean: booleanOf,
  number: (value: unknown) => {
    if (typeof value === "bigint") return Number(value);
    return typeof value === "number" ? value : null;
  },
} satisfies Record<Accepts, (value: unknown) => unknown>;

const expectations: Readonly<Record<Accepts, string>> = {
  text: "a text",
  messages: "a list of messages",
  textOrMessages: "a text or a list of messages",
  turn: "one turn with its speaker and text",
  boolean: "true or false",
  number: "a number",
};

/** Whether a value is what a role accepts. */
export function isAccepted(value: unknown, accepts: Accepts, isTextOnly: boolean): boolean {
  return readers[accepts](isTextOnly ? fromText(value, accepts) : value) !== null;
}

/** What a cell of a file of texts stands for. */
function fromText(value: unknown, accepts: Accepts): unknown {
  if (typeof value !== "string" || accepts === "text") return value;
  const written = value.trim();
  if (accepts === "boolean") {
    if (/^(true|yes|1|1\.0)$/i.test(written)) return true;
    return /^(false|no|0|0\.0)$/i.test(written) ? false : value;
  }
  if (accepts === "number") return written !== "" && !Number.isNaN(Number(written)) ? Number(written) : value;
  return /^[[{]/.test(written) ? (parseJson(written) ?? value) : value;
}

function found(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "another list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** How the values of a row are found. */
export interface CellOptions {
  readonly roles: readonly Role[];
  /** Which column a role is read from. */
  readonly columns: Readonly<Record<string, string>>;
  /** Every value is a text, whatever it stands for. */
  readonly isTextOnly: boolean;
}

/** The values of a row by what they are for. */
export function cellsOf(raw: RawRow, { roles, columns, isTextOnly }: CellOptions): Cells {
  const column = (id: string) => columns[id] ?? roles.find((one) => one.id === id)?.column ?? id;
  const read = <Kind extends Accepts>(id: string, kind: Kind) => {
    const written = raw[column(id)];
    const value = isTextOnly ? fromText(written, kind) : written;
    const result = readers[kind](value);
    if (result !== null) return result as NonNullable<ReturnType<(typeof readers)[Kind]>>;
    throw new BadRow(
      "wrongType",
      `the column "${column(id)}" holds ${found(value)}, expected ${expectations[kind]}`,
    );
  };
  return {
    has: (id) => {
      const value = raw[column(id)] ?? null;
      return value !== null && !(isTextOnly && value === "");
    },
    text: (id) => read(id, "text"),
    messages: (id) => read(id, "messages"),
    textOrMessages: (id) => read(id, "textOrMessages"),
    turn: (id) => read(id, "turn"),
    boolean: (id) => read(id, "boolean"),
    number: (id) => read(id, "number"),
    column,
  };
}

/** A prompt as the user's message of a conversation. */
export function user(content: string): ChatMessage {
  return { role: "user", content };
}

/** An answer as messages. */
export function assistant(content: string): readonly ChatMessage[] {
  return [{ role: "assistant", content }];
}
