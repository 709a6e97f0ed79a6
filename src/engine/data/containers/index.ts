import { unknownFile, type DataFile, type Entries, type OpenedFile, type RowRange } from "./dataFile.ts";
import { jsonLines } from "./jsonLines.ts";
import { jsonList } from "./jsonList.ts";

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
];

/** Opens a file of rows by its name; throws `DatasetError` (FIL-1) for any other. */
export function openDataFile(
  file: DataFile,
  { range = null, accepted }: { readonly range?: RowRange | null; readonly accepted?: string } = {},
): OpenedFile {
  const container = containers.find(({ name }) => name.test(file.name));
  if (container === undefined) throw unknownFile(file.name, "", accepted);
  return { isTextOnly: container.isTextOnly, entries: container.read(file, range) };
}
