/** Rows of Parquet files: of the file only what holds the rows that are asked for is read. */
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { readRange, sizeOf } from "../../files/fileBytes.ts";
import { checkPages, MAX_PAGE_BYTES } from "./parquetPages.ts";
import { unreadable, type DataFile, type Entries, type RowRange } from "./dataFile.ts";

/** Rows of a file that can be told apart; more than any set of texts has. */
const MAX_ROWS = 1e9;

function bufferOf({ bytes }: DataFile): AsyncBuffer {
  const byteLength = sizeOf(bytes);
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      if (!(start >= 0 && start <= end && end <= byteLength))
        throw new RangeError(`bytes ${start} to ${end} are asked for, and the file has ${byteLength}`);
      const read = await readRange(bytes, start, end);
      return Uint8Array.from(read).buffer;
    },
  };
}

/** Codecs that refuse to unpack a page to more than a page may have. */
function bounded(compressors: Compressors): Compressors {
  const entries = Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, outputLength: number) => {
      if (!(outputLength >= 0 && outputLength <= MAX_PAGE_BYTES))
        throw new RangeError(
          `a page says that it unpacks to ${outputLength} bytes, at most ${MAX_PAGE_BYTES} are read`,
        );
      return unpack(input, outputLength);
    },
  ]);
  return Object.fromEntries(entries) as Compressors;
}

/** Rows of each group; throws RangeError where the directory contradicts itself or the file. */
function groupSizes(metadata: FileMetaData, byteLength: number): number[] {
  const sizes = metadata.row_groups.map(({ num_rows: rows, columns }) => {
    for (const { meta_data: column } of columns) {
      if (column === undefined) continue;
      const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
      const end = start + Number(column.total_compressed_size);
      if (!(start >= 0 && start <= end && end <= byteLength))
        throw new RangeError(`a column is said to lie at bytes ${start} to ${end} of ${byteLength}`);
    }
    return Number(rows);
  });
  const total = sizes.reduce((sum, rows) => sum + rows, 0);
  if (sizes.some((rows) => !(rows >= 0)) || total !== Number(metadata.num_rows) || total > MAX_ROWS)
    throw new RangeError(`it is said to have ${metadata.num_rows} rows, its groups have ${total}`);
  return sizes;
}

/** Rows of a Parquet file, group by group; throws `DatasetError` (FIL-1) where it is damaged. */
export async function* parquet(file: DataFile, range: RowRange | null): Entries {
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { parquetHeader }, { compressors }] =
    await Promise.all([
      import("hyparquet"),
      import("hyparquet/src/column.js"),
      import("hyparquet-compressors"),
    ]);
  const buffer = bufferOf(file);
  const damaged = (cause: unknown) => {
    const told = cause instanceof Error ? cause.message : String(cause);
    return unreadable(file.name, `its Parquet data is damaged or of a kind that is not read (${told}).`);
  };
  const metadata = await parquetMetadataAsync(buffer).catch((cause: unknown) => {
    throw damaged(cause);
  });
  const options = {
    file: buffer,
    metadata,
    compressors: bounded(compressors),
    useOffsetIndex: range !== null,
  };
  const first = range?.from ?? 0;
  const end = range === null ? Infinity : range.from + range.count;
  let start = 0;
  try {
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    for (const [group, size] of groupSizes(metadata, buffer.byteLength).entries()) {
      const [rowStart, rowEnd] = [Math.max(first, start), Math.min(end, start + size)];
      start += size;
      if (rowStart >= rowEnd) continue;
      // Of a file elsewhere only some pages are read, and this would read them all.
      if (range === null) await checkPages(metadata.row_groups[group]!, buffer, parquetHeader);
      const rows: Record<string, unknown>[] = Array.from({ length: rowEnd - rowStart }, () => ({}));
      // Read together, two damaged columns would leave a rejection that nobody handles.
      for (const column of columns) {
        const cells = await parquetReadObjects({ ...options, rowStart, rowEnd, columns: [column] });
        if (cells.length !== rows.length)
          throw new RangeError(`${cells.length} rows were found where ${rows.length} should be`);
        cells.forEach((cell, index) => Object.assign(rows[index]!, cell));
      }
      yield rows.map((value, index) => ({ row: rowStart + index + 1, value }));
    }
  } catch (cause) {
    throw damaged(cause);
  }
}
