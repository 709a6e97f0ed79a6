import { findDuplicateKey } from "./duplicateKey.ts";
import { elementFormats, type ElementFormat } from "./elementTypes.ts";
import { readRange, sizeOf, type FileBytes } from "./fileBytes.ts";
import { FileFormatError, incompleteFile } from "./fileFormatError.ts";
import type { StoredTensor, StoredTensors, StoredType } from "./storedTensors.ts";

/** A tensor on the host: sizes from the slowest to the fastest axis, values row-major. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface TensorEntry {
  readonly name: string;
  readonly type: StoredType;
  readonly format: ElementFormat;
  readonly shape: readonly number[];
  /** Counted from the beginning of the data. */
  readonly begin: number;
  readonly end: number;
}

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
const DATA_ALIGNMENT = 8;
const OPENING_BRACE = 0x7b;
const METADATA_KEY = "__metadata__";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value can be a size or an offset: a whole number, at least 0 and exact in a float64. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Length of the header of a file of `size` bytes, which begins with `bytes`. */
function headerLength(bytes: Uint8Array, size: number, file: string): number {
  if (bytes.length < LENGTH_BYTES)
    throw new FileFormatError("FIL-1", file, `${bytes.length} bytes are too few for a safetensors file.`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length < 2)
    throw new FileFormatError(
      "FIL-1",
      file,
      `not a safetensors file: the header length is ${length}, expected 2 to ${MAX_HEADER_BYTES}.`,
    );
  if (bytes.length > LENGTH_BYTES && bytes[LENGTH_BYTES] !== OPENING_BRACE)
    throw new FileFormatError("FIL-1", file, 'not a safetensors file: the header does not start with "{".');
  if (LENGTH_BYTES + length > size) throw incompleteFile(file, size, LENGTH_BYTES + length);
  return length;
}

function parseHeader(bytes: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw new FileFormatError("FIL-1", file, "the header is not valid JSON in UTF-8.");
  }
  if (!isRecord(header)) throw new FileFormatError("FIL-1", file, "the header is not a JSON object.");
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null)
    throw new FileFormatError("FIL-1", file, `the header holds the key ${show(duplicate)} twice.`);
  return header;
}

function checkMetadata(metadata: unknown, file: string): void {
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string"))
    throw new FileFormatError(
      "FIL-1",
      file,
      `${METADATA_KEY} is ${show(metadata)}, expected an object of strings.`,
    );
}

function parseEntry(name: string, entry: unknown, file: string): TensorEntry {
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new FileFormatError(
      "FIL-1",
      file,
      `tensor ${show(name)}: ${field} is ${show(value)}, expected ${expected}.`,
    );
  };
  if (!isRecord(entry)) return refuse("its entry", entry, "an object");
  const { dtype, shape, data_offsets: offsets } = entry;
  const format = typeof dtype === "string" ? elementFormats.get(dtype) : undefined;
  if (!format) return refuse("dtype", dtype, `one of ${[...elementFormats.keys()].join(", ")}`);
  if (!Array.isArray(shape) || !shape.every(isCount))
    return refuse("shape", shape, "a list of whole numbers");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    return refuse("data_offsets", offsets, "two whole numbers");
  const [begin = 0, end = 0] = offsets;
  const count = shape.reduce((product, size) => product * size, 1);
  if (end - begin !== count * format.bytes)
    return refuse(
      "data_offsets",
      offsets,
      `${count * format.bytes} bytes for ${String(dtype)} of shape ${show(shape)}`,
    );
  return { name, type: dtype as StoredType, format, shape, begin, end };
}

interface DataLocation {
  readonly file: string;
  readonly dataStart: number;
  readonly dataBytes: number;
}

/** Refuses ranges that overlap, leave a gap or do not end with the file. */
function checkCoverage(entries: readonly TensorEntry[], location: DataLocation): void {
  const { file, dataStart, dataBytes } = location;
  let covered = 0;
  for (const entry of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== covered)
      throw new FileFormatError(
        "FIL-1",
        file,
        `tensor ${show(entry.name)}: data_offsets begin at ${entry.begin}, expected ${covered}: ` +
          `ranges ${entry.begin < covered ? "overlap" : "leave a gap"}.`,
      );
    covered = entry.end;
  }
  if (covered > dataBytes) throw incompleteFile(file, dataStart + dataBytes, dataStart + covered);
  if (covered < dataBytes)
    throw new FileFormatError(
      "FIL-1",
      file,
      `the tensors cover ${covered} bytes of data, the file holds ${dataBytes}.`,
    );
}

/** The tensors that a header names, once their ranges were found to fill the file exactly. */
function parseEntries(headerBytes: Uint8Array, location: DataLocation): TensorEntry[] {
  const { file } = location;
  const entries: TensorEntry[] = [];
  for (const [name, entry] of Object.entries(parseHeader(headerBytes, file))) {
    if (name === METADATA_KEY) checkMetadata(entry, file);
    else entries.push(parseEntry(name, entry, file));
  }
  checkCoverage(entries, location);
  return entries;
}

function decode(bytes: Uint8Array, { format }: TensorEntry): Float32Array {
  const values = new Float32Array(bytes.length / format.bytes);
  format.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), values);
  return values;
}

/**
 * Reads every tensor of a safetensors file as 32-bit floats (F32, F16, BF16 and F64 are read). The values are copies.
 * Throws `FileFormatError` (FIL-2 when the file ends early) before allocating anything for a broken header.
 * Source: the safetensors format specification.
 */
export function readSafetensors(bytes: Uint8Array, fileName: string): Map<string, NamedArray> {
  const dataStart = LENGTH_BYTES + headerLength(bytes, bytes.length, fileName);
  const location = { file: fileName, dataStart, dataBytes: bytes.length - dataStart };
  const entries = parseEntries(bytes.subarray(LENGTH_BYTES, dataStart), location);
  return new Map(
    entries.map((entry) => {
      const own = bytes.subarray(dataStart + entry.begin, dataStart + entry.end);
      return [entry.name, { shape: entry.shape, values: decode(own, entry) }];
    }),
  );
}

/** A safetensors file, and where its data begin. */
interface OpenFile {
  readonly source: FileBytes;
  readonly file: string;
  readonly dataStart: number;
}

function storedTensor(opened: OpenFile, entry: TensorEntry): StoredTensor {
  const { source, file, dataStart } = opened;
  const { shape, type, begin, end } = entry;
  const read = async () => {
    const bytes = await readRange(source, dataStart + begin, dataStart + end);
    if (bytes.length < end - begin) throw incompleteFile(file, sizeOf(source), dataStart + end);
    return bytes;
  };
  return {
    shape,
    type,
    bytes: end - begin,
    read,
    values: async () => decode(await read(), entry),
    rows: (first, last) => {
      const [count = 1, ...others] = shape;
      const rowBytes = (end - begin) / Math.max(1, count);
      const range = { begin: begin + first * rowBytes, end: begin + last * rowBytes };
      return storedTensor(opened, { ...entry, ...range, shape: [last - first, ...others] });
    },
  };
}

/** Opens a safetensors file: reads its header alone, and of the tensors what is asked for. Refuses what `readSafetensors` does. */
export async function openSafetensors(source: FileBytes, file: string): Promise<StoredTensors> {
  const size = sizeOf(source);
  const length = headerLength(await readRange(source, 0, LENGTH_BYTES + 1), size, file);
  const dataStart = LENGTH_BYTES + length;
  const header = await readRange(source, LENGTH_BYTES, dataStart);
  const entries = parseEntries(header, { file, dataStart, dataBytes: size - dataStart });
  const opened = { source, file, dataStart };
  return new Map(entries.map((entry) => [entry.name, storedTensor(opened, entry)]));
}

/**
 * Writes tensors as a safetensors file of F32: keys sorted, header padded with spaces so that the data starts at
 * a multiple of 8. Throws RangeError when the values of a tensor do not fill its shape.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, NamedArray>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const entries: [string, unknown][] = [[METADATA_KEY, { format: "pt", ...metadata }]];
  let offset = 0;
  for (const [name, { shape, values }] of sorted) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (count !== values.length || name === METADATA_KEY)
      throw new RangeError(
        `Tensor "${name}" of shape [${shape.join(", ")}] cannot hold ${values.length} values.`,
      );
    entries.push([name, { dtype: "F32", shape, data_offsets: [offset, offset + 4 * count] }]);
    offset += 4 * count;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerBytes = Math.ceil(json.length / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + offset).fill(0x20, LENGTH_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  let position = LENGTH_BYTES + headerBytes;
  for (const [, { values }] of sorted) {
    for (const value of values) {
      view.setFloat32(position, value, true);
      position += 4;
    }
  }
  return bytes;
}
