import { DatasetError } from "./datasetError.ts";
import { readEntries, unknownFile, type Entry } from "./fileEntries.ts";
import { pairFormats } from "./formats/index.ts";
import type { PairFormat, RawRow } from "./formats/pairFormat.ts";
import { isBlank, isSameText, type PairRow, type ProblemKind, type RowProblem } from "./row.ts";

/** A dataset file as read: usable pairs, and every row that was left out. */
export interface ReadPairs {
  readonly rows: readonly PairRow[];
  readonly problems: readonly RowProblem[];
}

const formats: readonly PairFormat[] = Object.values(pairFormats);
const MAX_COLUMNS_LISTED = 20;
const ACCEPTED = "JSONL or JSON pairs";

function isRawRow(value: unknown): value is RawRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The layout whose columns a row has, or else the one it has most columns of, or null when it has none. */
function formatOf(raw: RawRow): PairFormat | null {
  const missing = (format: PairFormat) => format.columns.filter((column) => raw[column] === undefined).length;
  const known = formats.filter((format) => missing(format) < format.columns.length);
  return known.toSorted((a, b) => missing(a) - missing(b))[0] ?? null;
}

type Outcome = { readonly row: PairRow } | { readonly problem: { kind: ProblemKind; reason: string } };

function problem(kind: ProblemKind, reason: string): Outcome {
  return { problem: { kind, reason } };
}

function expectedColumns(): string {
  return formats.map((format) => format.columns.join(", ")).join("; or ");
}

function readEntry({ row, value }: Entry, file: string): Outcome {
  if (value === undefined) return problem("invalidJson", "not valid JSON");
  if (!isRawRow(value)) return problem("wrongType", "not a JSON object");
  const format = formatOf(value);
  if (!format)
    return problem(
      "unknownColumns",
      `unknown columns ${listColumns([value])}; expected ${expectedColumns()}`,
    );
  const missing = format.columns.find((column) => value[column] === undefined);
  if (missing !== undefined) return problem("missingColumn", `the column "${missing}" is missing`);
  const read = format.readRow(value);
  if ("problem" in read) return read;
  for (const side of ["chosen", "rejected"] as const)
    if (isBlank(read.row[side])) return problem("emptyAnswer", `the ${side} answer is empty`);
  if (isSameText(read.row.chosen, read.row.rejected))
    return problem("identicalPair", "the two answers are identical");
  return { row: { ...read.row, source: { file, row } } };
}

function listColumns(raws: readonly RawRow[]): string {
  const columns = [...new Set(raws.flatMap((raw) => Object.keys(raw)))];
  const listed = columns.slice(0, MAX_COLUMNS_LISTED).join(", ");
  return columns.length > MAX_COLUMNS_LISTED ? `${listed}, …` : listed || "(none)";
}

/** Refuses a file as a whole when no row of it has all columns of a layout. */
function checkRecognised(entries: readonly Entry[], file: string): void {
  if (entries.length === 0) throw new DatasetError("FIL-1", file, `"${file}" holds no rows.`);
  const raws = entries.map(({ value }) => value).filter(isRawRow);
  if (raws.length === 0) throw unknownFile(file, ": no row of it is a JSON object", ACCEPTED);
  const isWhole = (raw: RawRow) =>
    formats.some((format) => format.columns.every((column) => raw[column] !== undefined));
  if (raws.some(isWhole)) return;
  throw new DatasetError(
    "DAT-1",
    file,
    `The columns of "${file}" are not recognised: found ${listColumns(raws)}; expected ${expectedColumns()}.`,
  );
}

/**
 * Reads preference pairs from a JSONL file or a JSON list. Bad rows are left out, each with its number and reason.
 * Throws `DatasetError` for an unknown container (FIL-1) and for columns that no layout knows (DAT-1).
 */
export function readPairs(source: string | Uint8Array, fileName: string): ReadPairs {
  const entries = readEntries(source, fileName, ACCEPTED);
  checkRecognised(entries, fileName);
  const rows: PairRow[] = [];
  const problems: RowProblem[] = [];
  for (const entry of entries) {
    const outcome = readEntry(entry, fileName);
    if ("row" in outcome) rows.push(outcome.row);
    else problems.push({ row: entry.row, ...outcome.problem });
  }
  return { rows, problems };
}
