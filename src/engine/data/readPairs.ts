import { DatasetError } from "./datasetError.ts";
import { pairFormats } from "./formats/index.ts";
import type { PairFormat, RawRow } from "./formats/pairFormat.ts";
import { isBlank, isSameText, type PairRow, type ProblemKind, type RowProblem } from "./row.ts";

/** A dataset file as read: usable pairs, and every row that was left out. */
export interface ReadPairs {
  readonly rows: readonly PairRow[];
  readonly problems: readonly RowProblem[];
}

/** A parsed value and where it stood; `value` is undefined where the text was not JSON. */
interface Entry {
  readonly row: number;
  readonly value: unknown;
}

const formats: readonly PairFormat[] = Object.values(pairFormats);
const MAX_COLUMNS_LISTED = 20;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRawRow(value: unknown): value is RawRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownFile(file: string, detail: string): DatasetError {
  return new DatasetError(
    "FIL-1",
    file,
    `"${file}" is not a format I know${detail}. Accepted: JSONL or JSON pairs.`,
  );
}

function decodeText(source: string | Uint8Array, file: string): string {
  if (typeof source === "string") return source.replace(/^\uFEFF/, "");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    throw unknownFile(file, ": it is not text in UTF-8");
  }
}

function readEntries(source: string | Uint8Array, file: string): Entry[] {
  const container = /\.(jsonl|json)$/i.exec(file)?.[1]?.toLowerCase();
  if (container === undefined) throw unknownFile(file, "");
  const text = decodeText(source, file);
  if (container === "json") {
    const list = parseJson(text);
    if (!Array.isArray(list)) throw unknownFile(file, ": it does not hold one JSON list");
    return list.map((value: unknown, index) => ({ row: index + 1, value }));
  }
  return text
    .split("\n")
    .map((line, index) => ({ row: index + 1, line: line.trim() }))
    .filter(({ line }) => line !== "")
    .map(({ row, line }) => ({ row, value: parseJson(line) }));
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
  if (raws.length === 0) throw unknownFile(file, ": no row of it is a JSON object");
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
  const entries = readEntries(source, fileName);
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
