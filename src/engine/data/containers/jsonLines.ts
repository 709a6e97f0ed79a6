import {
  ENTRIES_PER_TURN,
  placeIn,
  unreadable,
  type DataFile,
  type Entries,
  type Entry,
  type RowRange,
} from "./dataFile.ts";
import { parseJson } from "./parseJson.ts";
import { textChunks } from "./textChunks.ts";

/** Characters of a line: longer ones are no row of texts that a model could read. */
const MAX_LINE_CHARACTERS = 1 << 24;

/** Rows of a JSONL file, one a line; rows are numbered by lines, and empty lines are skipped. */
export async function* jsonLines(file: DataFile, range: RowRange | null): Entries {
  let line = 0;
  let index = 0;
  let entries: Entry[] = [];
  let rest = "";
  /** False where nothing further is wanted. */
  const take = (text: string): boolean => {
    line += 1;
    const trimmed = text.trim();
    if (trimmed === "") return true;
    const place = placeIn(range, index++);
    if (place === "in") entries.push({ row: line, value: parseJson(trimmed) });
    return place !== "behind";
  };
  for await (const chunk of textChunks(file)) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      if (!take(text)) return yield entries;
      if (entries.length < ENTRIES_PER_TURN) continue;
      yield entries;
      entries = [];
    }
    if (rest.length > MAX_LINE_CHARACTERS)
      throw unreadable(file.name, `line ${line + 1} is longer than ${MAX_LINE_CHARACTERS} characters.`);
  }
  take(rest);
  yield entries;
}
