/** The entries of a data file: one per line of JSONL, or per item of a JSON list. */
import { DatasetError } from "./datasetError.ts";

/** A parsed value and where it stood; `value` is undefined where the text was not JSON. */
export interface Entry {
  readonly row: number;
  readonly value: unknown;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A file of another kind than those that are accepted. */
export function unknownFile(file: string, detail: string, accepted: string): DatasetError {
  return new DatasetError("FIL-1", file, `"${file}" is not a format I know${detail}. Accepted: ${accepted}.`);
}

/** The text of a file; throws `DatasetError` (FIL-1) where it is not UTF-8. */
export function decodeText(source: string | Uint8Array, file: string, accepted: string): string {
  if (typeof source === "string") return source.replace(/^\uFEFF/, "");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    throw unknownFile(file, ": it is not text in UTF-8", accepted);
  }
}

/** The entries of a JSONL or JSON file; throws `DatasetError` (FIL-1) for any other. */
export function readEntries(source: string | Uint8Array, file: string, accepted: string): Entry[] {
  const container = /\.(jsonl|json)$/i.exec(file)?.[1]?.toLowerCase();
  if (container === undefined) throw unknownFile(file, "", accepted);
  const text = decodeText(source, file, accepted);
  if (container === "json") {
    const list = parseJson(text);
    if (!Array.isArray(list)) throw unknownFile(file, ": it does not hold one JSON list", accepted);
    return list.map((value: unknown, index) => ({ row: index + 1, value }));
  }
  return text
    .split("\n")
    .map((line, index) => ({ row: index + 1, line: line.trim() }))
    .filter(({ line }) => line !== "")
    .map(({ row, line }) => ({ row, value: parseJson(line) }));
}
