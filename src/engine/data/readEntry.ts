/** From one entry of a file to a canonical row, or to the reason why it is left out. */
import type { Entry } from "./containers/dataFile.ts";
import { cellsOf } from "./formats/cells.ts";
import { BadRow, type DataFormat, type RawRow, type ReadRow } from "./formats/dataFormat.ts";
import { isBlank, isSameText, type ProblemKind } from "./row.ts";

/** How the entries of a file are read. */
export interface Reader {
  readonly format: DataFormat;
  /** Which column a role is read from. */
  readonly columns: Readonly<Record<string, string>>;
  readonly isTextOnly: boolean;
  readonly scoreRatioFloor: number;
}

/** What came of an entry. */
export type ReadEntry =
  { readonly row: ReadRow } | { readonly problem: { readonly kind: ProblemKind; readonly reason: string } };

const MAX_COLUMNS_LISTED = 20;

/** Whether a value is an object with columns. */
export function isRawRow(value: unknown): value is RawRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a row: a bare text is a row with the column `text`. */
export function asRow(value: unknown): unknown {
  return typeof value === "string" ? { text: value } : value;
}

function problem(kind: ProblemKind, reason: string): ReadEntry {
  return { problem: { kind, reason } };
}

function listColumns(raw: RawRow): string {
  const columns = Object.keys(raw);
  const listed = columns.slice(0, MAX_COLUMNS_LISTED).join(", ");
  return columns.length > MAX_COLUMNS_LISTED ? `${listed}, …` : listed || "(none)";
}

/** Reads an entry; never throws. */
export function readEntry({ value, flaw }: Entry, reader: Reader): ReadEntry {
  if (flaw !== undefined) return problem("wrongType", flaw);
  if (value === undefined) return problem("invalidJson", "not valid JSON");
  const raw = asRow(value);
  if (!isRawRow(raw)) return problem("wrongType", "not a JSON object");
  const { format, columns, isTextOnly, scoreRatioFloor } = reader;
  const needed = format.roles
    .filter(({ isOptional }) => !isOptional)
    .map(({ id, column }) => columns[id] ?? column);
  const missing = needed.filter((column) => raw[column] === undefined);
  if (missing.length === needed.length) {
    const expected = needed.join(", ");
    return problem("unknownColumns", `unknown columns ${listColumns(raw)}; expected ${expected}`);
  }
  if (missing.length > 0) return problem("missingColumn", `the column "${missing[0]}" is missing`);
  try {
    const row = format.readRow(cellsOf(raw, { roles: format.roles, columns, isTextOnly }), {
      scoreRatioFloor,
    });
    return flawOf(row) ?? { row };
  } catch (error) {
    if (error instanceof BadRow) return problem(error.kind, error.message);
    throw error;
  }
}

/** What leaves nothing to learn from a row. */
function flawOf(row: ReadRow): ReadEntry | null {
  if (row.kind === "prompt")
    return isBlank(row.prompt) ? problem("emptyPrompt", "the prompt is empty") : null;
  if (row.kind === "labelled")
    return isBlank(row.completion) ? problem("emptyAnswer", "the answer is empty") : null;
  for (const side of row.isSingle === true ? (["chosen"] as const) : (["chosen", "rejected"] as const))
    if (isBlank(row[side])) return problem("emptyAnswer", `the ${side} answer is empty`);
  if (isSameText(row.chosen, row.rejected)) return problem("identicalPair", "the two answers are identical");
  return null;
}
