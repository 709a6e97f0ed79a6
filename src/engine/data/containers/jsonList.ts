import { ENTRIES_PER_TURN, unknownFile, type DataFile, type Entries, type RowRange } from "./dataFile.ts";
import { parseJson } from "./parseJson.ts";
import { wholeText } from "./textChunks.ts";

/** The list of a JSON file: the file itself, or the one field of its object that holds a list. */
function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return null;
  const lists = Object.values(value).filter((field) => Array.isArray(field));
  return lists.length === 1 ? (lists[0] ?? null) : null;
}

/** Items of a JSON file that holds one list; throws `DatasetError` (FIL-1) where it does not. */
export async function* jsonList(file: DataFile, range: RowRange | null): Entries {
  const list = listOf(parseJson(await wholeText(file)));
  if (list === null) throw unknownFile(file.name, ": it does not hold one JSON list");
  const from = range?.from ?? 0;
  const end = Math.min(list.length, range === null ? Infinity : from + range.count);
  for (let at = from; at < end; at += ENTRIES_PER_TURN) {
    const some = list.slice(at, Math.min(end, at + ENTRIES_PER_TURN));
    yield some.map((value, index) => ({ row: at + index + 1, value }));
  }
}
