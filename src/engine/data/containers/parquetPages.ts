/** A look at every page of a Parquet file before its values are unpacked: the library walks damaged ones without an end. */
import type { AsyncBuffer, RowGroup } from "hyparquet";

/** Bytes that one page may unpack to; writers make pages of about a megabyte. */
export const MAX_PAGE_BYTES = 1 << 28;

type ReadHeader = (reader: { view: DataView; offset: number }) => {
  readonly type?: string | undefined;
  readonly compressed_page_size?: unknown;
  readonly uncompressed_page_size?: unknown;
  readonly data_page_header?: { readonly num_values?: unknown } | undefined;
  readonly data_page_header_v2?: { readonly num_values?: unknown } | undefined;
  readonly dictionary_page_header?: { readonly num_values?: unknown } | undefined;
};

/**
 * Walks the pages of a group's columns from header to header. Throws RangeError for a size that is none, for a page past
 * its column, and for pages that do not hold as many values as the directory says.
 */
export async function checkPages(
  { columns, num_rows: rows }: RowGroup,
  file: AsyncBuffer,
  readHeader: ReadHeader,
): Promise<void> {
  for (const { meta_data: column } of columns) {
    if (column === undefined) throw new RangeError("a column has no place in the file");
    const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
    const bytes = await file.slice(start, start + Number(column.total_compressed_size));
    const values = Number(column.num_values);
    // A column of lists has more values than rows.
    if (values < Number(rows)) throw new RangeError(`a column of ${rows} rows has ${values} values`);
    checkColumn(new DataView(bytes), values, readHeader);
  }
}

function checkColumn(view: DataView, values: number, readHeader: ReadHeader): void {
  const reader = { view, offset: 0 };
  let found = 0;
  while (found < values) {
    if (reader.offset >= view.byteLength)
      throw new RangeError(`a column ends after ${found} of ${values} values`);
    const before = reader.offset;
    const header = readHeader(reader);
    const packed = sizeOf(header.compressed_page_size, view.byteLength - reader.offset);
    sizeOf(header.uncompressed_page_size, MAX_PAGE_BYTES);
    const data = header.data_page_header ?? header.data_page_header_v2;
    if (header.type === "DICTIONARY_PAGE") sizeOf(header.dictionary_page_header?.num_values, MAX_PAGE_BYTES);
    else found += sizeOf(data?.num_values, values - found);
    reader.offset += packed;
    if (reader.offset <= before) throw new RangeError("a page has no end");
  }
}

/** A size of a header, from 0 to `largest`. */
function sizeOf(value: unknown, largest: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= largest) return value;
  throw new RangeError(`a page says ${String(value)} where at most ${largest} can be`);
}
