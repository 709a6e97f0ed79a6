/** Keys and values at the beginning of a GGUF file. Source: ggml's docs/gguf.md. */
import { FileFormatError } from "../fileFormatError.ts";
import type { SequentialReader } from "./sequentialReader.ts";

/** Numbers of a list; booleans are 0 and 1. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** A value of the metadata; whole numbers of 64 bits are bigints where a float64 is not exact. */
export type GgufValue = number | bigint | boolean | string | readonly string[] | GgufNumbers;

/** Values by key. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

interface Scalar {
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => number | bigint | boolean;
  readonly list: (count: number) => GgufNumbers;
}

/** Ids of the types of values. */
export const valueTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

/** A shorter key than a value type and an empty text. */
const LEAST_ENTRY_BYTES = 13;
const LENGTH_BYTES = 8;
const MAX_KEY_BYTES = 65_535;

function safe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const scalars: ReadonlyMap<number, Scalar> = new Map<number, Scalar>([
  [
    valueTypes.uint8,
    { bytes: 1, read: (view, at) => view.getUint8(at), list: (count) => new Uint8Array(count) },
  ],
  [
    valueTypes.int8,
    { bytes: 1, read: (view, at) => view.getInt8(at), list: (count) => new Int8Array(count) },
  ],
  [
    valueTypes.uint16,
    { bytes: 2, read: (view, at) => view.getUint16(at, true), list: (count) => new Uint16Array(count) },
  ],
  [
    valueTypes.int16,
    { bytes: 2, read: (view, at) => view.getInt16(at, true), list: (count) => new Int16Array(count) },
  ],
  [
    valueTypes.uint32,
    { bytes: 4, read: (view, at) => view.getUint32(at, true), list: (count) => new Uint32Array(count) },
  ],
  [
    valueTypes.int32,
    { bytes: 4, read: (view, at) => view.getInt32(at, true), list: (count) => new Int32Array(count) },
  ],
  [
    valueTypes.float32,
    { bytes: 4, read: (view, at) => view.getFloat32(at, true), list: (count) => new Float32Array(count) },
  ],
  [
    valueTypes.bool,
    { bytes: 1, read: (view, at) => view.getUint8(at) !== 0, list: (count) => new Uint8Array(count) },
  ],
  [
    valueTypes.uint64,
    {
      bytes: 8,
      read: (view, at) => safe(view.getBigUint64(at, true)),
      list: (count) => new BigUint64Array(count),
    },
  ],
  [
    valueTypes.int64,
    {
      bytes: 8,
      read: (view, at) => safe(view.getBigInt64(at, true)),
      list: (count) => new BigInt64Array(count),
    },
  ],
  [
    valueTypes.float64,
    { bytes: 8, read: (view, at) => view.getFloat64(at, true), list: (count) => new Float64Array(count) },
  ],
]);

async function readStrings(reader: SequentialReader, field: string, count: number): Promise<string[]> {
  const strings: string[] = [];
  for (let index = 0; index < count; index++) strings.push(await reader.string(field));
  return strings;
}

async function readNumbers(reader: SequentialReader, scalar: Scalar, count: number): Promise<GgufNumbers> {
  await reader.fill(count * scalar.bytes);
  const list = scalar.list(count);
  // Lists of 64-bit numbers stay exact.
  if (list instanceof BigUint64Array || list instanceof BigInt64Array) {
    for (let index = 0; index < count; index++) list[index] = BigInt(reader.read(scalar.bytes, scalar.read));
    return list;
  }
  for (let index = 0; index < count; index++) list[index] = Number(reader.read(scalar.bytes, scalar.read));
  return list;
}

async function readArray(reader: SequentialReader, field: string, file: string): Promise<GgufValue> {
  const type = await reader.uint32();
  const count = await reader.uint64(`the number of elements of ${field}`);
  const scalar = scalars.get(type);
  if (scalar === undefined && type !== valueTypes.string)
    throw new FileFormatError(
      "FIL-1",
      file,
      `${field} is a list of type ${type}, expected 0 to 8 or 10 to 12.`,
    );
  reader.checkLength(count * (scalar?.bytes ?? LENGTH_BYTES));
  return scalar === undefined ? readStrings(reader, field, count) : readNumbers(reader, scalar, count);
}

/** Reads `count` keys and values. Throws `FileFormatError`, before anything is allocated that the file could not hold. */
export async function readMetadata(
  reader: SequentialReader,
  count: number,
  file: string,
): Promise<GgufMetadata> {
  reader.checkLength(count * LEAST_ENTRY_BYTES);
  const metadata = new Map<string, GgufValue>();
  for (let entry = 0; entry < count; entry++) {
    const key = await reader.string(`the key of value ${entry} in the metadata`, MAX_KEY_BYTES);
    if (metadata.has(key))
      throw new FileFormatError("FIL-1", file, `the metadata holds ${JSON.stringify(key)} twice.`);
    metadata.set(key, await readValue(reader, key, file));
  }
  return metadata;
}

async function readValue(reader: SequentialReader, key: string, file: string): Promise<GgufValue> {
  const type = await reader.uint32();
  if (type === valueTypes.string) return reader.string(key);
  if (type === valueTypes.array) return readArray(reader, key, file);
  const scalar = scalars.get(type);
  if (scalar === undefined)
    throw new FileFormatError("FIL-1", file, `${key} is a value of type ${type}, expected 0 to 12.`);
  await reader.fill(scalar.bytes);
  return reader.read(scalar.bytes, scalar.read);
}
