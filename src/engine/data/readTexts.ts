import { DatasetError } from "./datasetError.ts";
import { decodeText, readEntries } from "./fileEntries.ts";

const ACCEPTED = 'plain text, or JSONL or JSON of strings or of rows with a column "text"';
/** What stands between two texts of a plain file: an empty line, or the mark of many corpora. */
const BETWEEN_TEXTS = /\n[^\S\n]*\n|<\|endoftext\|>/;

/**
 * Reads texts from a plain file, whose paragraphs they are, or from a JSONL file or JSON list of strings or of rows with a
 * column `text`. Empty ones are left out. Throws `DatasetError` (FIL-1) for another file, for a row without a text, and
 * where no text is left.
 */
export function readTexts(source: string | Uint8Array, fileName: string): readonly string[] {
  const found = /\.txt$/i.test(fileName)
    ? decodeText(source, fileName, ACCEPTED).replaceAll("\r\n", "\n").split(BETWEEN_TEXTS)
    : readEntries(source, fileName, ACCEPTED).map(({ row, value }) => textOf(value, { row, fileName }));
  const texts = found.map((text) => text.trim()).filter((text) => text !== "");
  if (texts.length === 0) throw new DatasetError("FIL-1", fileName, `"${fileName}" holds no text.`);
  return texts;
}

function textOf(
  value: unknown,
  { row, fileName }: { readonly row: number; readonly fileName: string },
): string {
  if (typeof value === "string") return value;
  const text = typeof value === "object" && value !== null && "text" in value ? value.text : undefined;
  if (typeof text === "string") return text;
  throw new DatasetError(
    "FIL-1",
    fileName,
    `Row ${row} of "${fileName}" has no text. Accepted: ${ACCEPTED}.`,
  );
}
