import { elementFormats, type ElementFormat } from "./elementTypes.ts";
import { FileFormatError, incompleteFile } from "./fileFormatError.ts";
import type { NamedArray } from "./safetensors.ts";
import { transposed } from "./transposed.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
/** Magic and two bytes of version. */
const VERSION_END = 8;
/** A header of an array has about 100 bytes. */
const MAX_HEADER_BYTES = 65_536;
/** What NumPy itself allows. */
const MAX_AXES = 32;
const SHOWN_LENGTH = 60;

/** Readable element types by the name NumPy gives them. */
const formats: ReadonlyMap<string, ElementFormat | undefined> = new Map([
  ["<f2", elementFormats.get("F16")],
  ["<f4", elementFormats.get("F32")],
  ["<f8", elementFormats.get("F64")],
]);

interface NpyHeader {
  readonly format: ElementFormat;
  readonly isColumnMajor: boolean;
  readonly shape: readonly number[];
}

function refuse(file: string, field: string, value: string, expected: string): never {
  const shown = value.length > SHOWN_LENGTH ? `${value.slice(0, SHOWN_LENGTH)}…` : value;
  throw new FileFormatError("FIL-1", file, `${field} is ${shown}, expected ${expected}.`);
}

/** Where the header's text begins and ends. */
function headerRange(bytes: Uint8Array, file: string): readonly [number, number] {
  if (bytes.length <= VERSION_END || MAGIC.some((byte, at) => bytes[at] !== byte))
    throw new FileFormatError("FIL-1", file, "not an array of NumPy: it does not begin with its mark.");
  const version = bytes[MAGIC.length]!;
  if (version < 1 || version > 3) refuse(file, "the version", String(version), "1, 2 or 3");
  const start = VERSION_END + (version === 1 ? 2 : 4);
  if (bytes.length < start) throw incompleteFile(file, bytes.length, start);
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const length = version === 1 ? view.getUint16(VERSION_END, true) : view.getUint32(VERSION_END, true);
  if (length > MAX_HEADER_BYTES)
    refuse(file, "the header length", String(length), `at most ${MAX_HEADER_BYTES}`);
  if (bytes.length < start + length) throw incompleteFile(file, bytes.length, start + length);
  return [start, start + length];
}

/** The header's three fields as they are written, each exactly once. */
function parseFields(text: string, file: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1] ?? "";
  // A sticky pattern: whatever is between two entries ends the walk and is refused.
  const entry = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d,\s]*\))\s*(?:,\s*|$)/y;
  while (entry.lastIndex < body.length) {
    const [, name, value] = entry.exec(body) ?? [];
    if (name === undefined || value === undefined || fields.has(name)) break;
    fields.set(name, value);
    if (fields.size === 3 && entry.lastIndex === body.length) return fields;
  }
  return refuse(file, "the header", text.trim(), "descr, fortran_order and shape");
}

function parseShape(text: string, file: string): readonly number[] {
  const sizes = text.slice(1, -1).trim().replace(/,$/, "").split(",");
  const shape =
    sizes.join() === "" ? [] : sizes.map((size) => (/^\s*\d+\s*$/.test(size) ? Number(size) : -1));
  return text.startsWith("(") &&
    shape.length <= MAX_AXES &&
    shape.every((size) => size >= 0 && Number.isSafeInteger(size))
    ? shape
    : refuse(file, "shape", text, "a tuple of whole numbers");
}

function parseHeader(text: string, file: string): NpyHeader {
  const fields = parseFields(text, file);
  const [descr = "", order = "", shapeText = ""] = ["descr", "fortran_order", "shape"].map((name) =>
    fields.get(name),
  );
  const format = formats.get(descr.slice(1, -1));
  if (format === undefined) return refuse(file, "descr", descr, `one of ${[...formats.keys()].join(", ")}`);
  if (order !== "True" && order !== "False") return refuse(file, "fortran_order", order, "True or False");
  const shape = parseShape(shapeText, file);
  const isColumnMajor = order === "True" && shape.length > 1;
  if (isColumnMajor && shape.length > 2)
    return refuse(file, "shape", shapeText, "at most two axes where fortran_order is True");
  return { format, isColumnMajor, shape };
}

/**
 * Reads an `.npy` file of any version as 32-bit floats: 16, 32 and 64 bits, little-endian, row-major or column-major
 * (the values returned are row-major). Throws `FileFormatError` (FIL-2 when the file ends early) before anything is
 * allocated that the file does not hold. Source: NEP 1 and the format's description in NumPy's documentation.
 */
export function readNpy(bytes: Uint8Array, file: string): NamedArray {
  const [start, end] = headerRange(bytes, file);
  const header = new TextDecoder().decode(bytes.subarray(start, end));
  const { format, isColumnMajor, shape } = parseHeader(header, file);
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = end + count * format.bytes;
  if (expected > bytes.length) throw incompleteFile(file, bytes.length, expected);
  if (expected !== bytes.length)
    refuse(file, "the size", `${bytes.length} bytes`, `${expected} for the shape [${shape.join(", ")}]`);
  const values = new Float32Array(count);
  format.read(new DataView(bytes.buffer, bytes.byteOffset + end, bytes.length - end), values);
  const [rows = 1, columns = 1] = shape;
  return { shape, values: isColumnMajor ? transposed(values, columns, rows) : values };
}
