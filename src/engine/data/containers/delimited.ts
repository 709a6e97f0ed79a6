import {
  ENTRIES_PER_TURN,
  placeIn,
  unreadable,
  type DataFile,
  type Entries,
  type Entry,
  type RowRange,
} from "./dataFile.ts";
import { textChunks } from "./textChunks.ts";

/** What papaparse says of a piece of text. */
interface ParsedPiece {
  readonly data: readonly (readonly string[])[];
  readonly errors: readonly { readonly row?: number; readonly message: string }[];
  readonly meta: { readonly cursor: number };
}

/** Characters of a record: a longer one is a quote that is never closed. */
const MAX_RECORD_CHARACTERS = 1 << 24;
/** Characters that the separator is told by. */
const TOLD_CHARACTERS = 1 << 16;

/** Columns of a file: rows of texts have some tens. */
const MAX_COLUMNS = 10_000;

/** Names of the columns: trimmed, those without one by their place, and repeated ones numbered. */
function columnNames(header: readonly string[], file: string): string[] {
  if (header.length > MAX_COLUMNS)
    throw unreadable(file, `its first record has ${header.length} columns, at most ${MAX_COLUMNS} are read.`);
  const names = new Set<string>();
  const repeats = new Map<string, number>();
  for (const [index, written] of header.entries()) {
    const name = written.trim() || `column ${index + 1}`;
    let number = repeats.get(name) ?? 1;
    let unique = name;
    while (names.has(unique)) unique = `${name} ${++number}`;
    repeats.set(name, number);
    names.add(unique);
  }
  return [...names];
}

/** What separates fields and records, told by the header: the separator that it has most of, outside quotes. */
function punctuationOf(text: string): { delimiter: string; newline: "\n" | "\r" | "\r\n" } {
  const counts = new Map([",", ";", "\t", "|"].map((separator) => [separator, 0]));
  let isQuoted = false;
  let newline: "\n" | "\r" | "\r\n" = "\n";
  for (let at = 0; at < Math.min(text.length, TOLD_CHARACTERS); at++) {
    const character = text[at] ?? "";
    if (character === '"') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (character === "\n" || character === "\r") {
      newline = character === "\n" ? "\n" : text[at + 1] === "\n" ? "\r\n" : "\r";
      break;
    }
    const count = counts.get(character);
    if (count !== undefined) counts.set(character, count + 1);
  }
  const [[delimiter] = [","]] = [...counts].toSorted(([, a], [, b]) => b - a);
  return { delimiter, newline };
}

/** Turns text that comes piece by piece into records; what a piece does not end is kept for the next one. */
async function createRecords(file: DataFile) {
  const { default: papa } = await import("papaparse");
  const isTabs = /\.tsv(\.gz)?$/i.test(file.name);
  let parser: { parse: (text: string, base: number, ignoresLast: boolean) => unknown } | null = null;
  let rest = "";
  return (
    text: string,
    isLast: boolean,
  ): readonly { fields: readonly string[]; flaw: string | undefined }[] => {
    rest += text;
    if (!isLast && parser === null && rest.length < TOLD_CHARACTERS) return [];
    if (parser === null) {
      const { delimiter, newline } = punctuationOf(rest);
      const config = { delimiter: isTabs ? "\t" : delimiter, newline };
      parser = {
        parse: (piece, base, ignoresLast) => new papa.Parser(config).parse(piece, base, ignoresLast),
      };
    }
    const parsed = parser.parse(rest, 0, !isLast) as ParsedPiece;
    rest = rest.slice(parsed.meta.cursor);
    if (!isLast && rest.length > MAX_RECORD_CHARACTERS)
      throw unreadable(
        file.name,
        `a record is longer than ${MAX_RECORD_CHARACTERS} characters, so a quote is opened and never closed.`,
      );
    const flaws = new Map(parsed.errors.map(({ row = -1, message }) => [row, message]));
    return parsed.data.map((fields, index) => ({ fields, flaw: flaws.get(index) }));
  };
}

/** Records of a CSV or TSV file under the names of its first record (RFC 4180; also semicolons, tabs and bars); rows are numbered by records. */
export async function* delimited(file: DataFile, range: RowRange | null): Entries {
  const recordsOf = await createRecords(file);
  let names: readonly string[] | null = null;
  let row = 0;
  let entries: Entry[] = [];
  const take = ({ fields, flaw }: ReturnType<typeof recordsOf>[number]): boolean => {
    if (fields.length === 1 && fields[0]?.trim() === "") return true;
    if (names === null) {
      names = columnNames(fields, file.name);
      return true;
    }
    const place = placeIn(range, row++);
    const tooMany =
      fields.length > names.length ? `${fields.length} fields under ${names.length} columns` : undefined;
    const problem = flaw ?? tooMany;
    const value = Object.fromEntries(
      names.slice(0, fields.length).map((name, index) => [name, fields[index]]),
    );
    if (place === "in") entries.push({ row, value, ...(problem === undefined ? {} : { flaw: problem }) });
    return place !== "behind";
  };
  for await (const { text, isLast } of withLast(textChunks(file))) {
    for (const record of recordsOf(text, isLast)) {
      if (!take(record)) return yield entries;
      if (entries.length < ENTRIES_PER_TURN) continue;
      yield entries;
      entries = [];
    }
  }
  yield entries;
}

/** Pieces of text with word of which is the last. */
async function* withLast(chunks: AsyncGenerator<string>): AsyncGenerator<{ text: string; isLast: boolean }> {
  for await (const text of chunks) yield { text, isLast: false };
  yield { text: "", isLast: true };
}
