import { ACCEPTED, type DataFile } from "./containers/dataFile.ts";
import { openDataFile } from "./containers/index.ts";
import { wholeText } from "./containers/textChunks.ts";
import { DatasetError } from "./datasetError.ts";

const ACCEPTED_TEXTS = `plain text, or rows with a column "text" as ${ACCEPTED}`;
/** What stands between two texts of a plain file: an empty line, or the mark of many corpora. */
const BETWEEN_TEXTS = /\n[^\S\n]*\n|<\|endoftext\|>/;

/**
 * Reads texts from a plain file, whose paragraphs they are, or from a file of strings or of rows with a column `text`.
 * Empty ones are left out. Throws `DatasetError` (FIL-1) for another file, for a row without a text, and where no text
 * is left.
 */
export async function readTexts(file: DataFile): Promise<readonly string[]> {
  const found = /\.txt(\.gz)?$/i.test(file.name)
    ? (await wholeText(file, ACCEPTED_TEXTS)).replaceAll("\r\n", "\n").split(BETWEEN_TEXTS)
    : await columnOf(file);
  const texts = found.map((text) => text.trim()).filter((text) => text !== "");
  if (texts.length === 0) throw new DatasetError("FIL-1", file.name, `"${file.name}" holds no text.`);
  return texts;
}

async function columnOf(file: DataFile): Promise<string[]> {
  const texts: string[] = [];
  const opened = await openDataFile(file, { accepted: ACCEPTED_TEXTS });
  for await (const entries of opened.entries)
    for (const { row, value } of entries) texts.push(textOf(value, { row, fileName: file.name }));
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
    `Row ${row} of "${fileName}" has no text. Accepted: ${ACCEPTED_TEXTS}.`,
  );
}
