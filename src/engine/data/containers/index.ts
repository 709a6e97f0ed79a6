import { unknownFile, type DataFile, type Entries, type OpenedFile, type RowRange } from "./dataFile.ts";
import { delimited } from "./delimited.ts";
import { jsonLines } from "./jsonLines.ts";
import { jsonList } from "./jsonList.ts";
import { parquet } from "./parquet.ts";
import { unzipped } from "./zipped.ts";

/** A kind of file that holds rows. */
interface Container {
  readonly name: RegExp;
  readonly isTextOnly: boolean;
  readonly read: (file: DataFile, range: RowRange | null) => Entries;
}

/** Every kind of file that rows are read from, by the end of its name. */
const containers: readonly Container[] = [
  { name: /\.(jsonl|ndjson)(\.gz)?$/i, isTextOnly: false, read: jsonLines },
  { name: /\.json(\.gz)?$/i, isTextOnly: false, read: jsonList },
  { name: /\.(csv|tsv)(\.gz)?$/i, isTextOnly: true, read: delimited },
  { name: /\.parquet$/i, isTextOnly: false, read: parquet },
];

function containerOf(name: string): Container | undefined {
  return containers.find((container) => container.name.test(name));
}

/** How a file is opened. */
export interface OpenOptions {
  /** Which entries are wanted; left out, all. */
  readonly range?: RowRange | null;
  /** What is told to be accepted where the file is none of it. */
  readonly accepted?: string;
}

/** Opens a file of rows by its name; throws `DatasetError` (FIL-1) for any other. */
export async function openDataFile(
  file: DataFile,
  { range = null, accepted }: OpenOptions = {},
): Promise<OpenedFile> {
  const isZip = /\.zip$/i.test(file.name);
  const opened = isZip ? await unzipped(file, (name) => containerOf(name) !== undefined) : file;
  const container = containerOf(opened.name);
  if (container === undefined) throw unknownFile(file.name, "", accepted);
  return { isTextOnly: container.isTextOnly, entries: container.read(opened, range) };
}
