/** Writes GGUF files of version 3 piece by piece. Source: ggml's docs/gguf.md. */
import { encodeHalf, encodeQ8_0, encodeSingle } from "./encode.ts";
import { valueTypes } from "./metadata.ts";
import { ggufTypes } from "./tensorTypes.ts";

/** A value of the metadata with the type that it is written in. */
export type GgufEntry =
  | { readonly type: "uint32" | "float32" | "int32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "float32s" | "int32s"; readonly value: readonly number[] };

/** Types that tensors are written in. */
export type GgufWriteType = "F32" | "F16" | "Q8_0";

/** A tensor to be written; its values are asked for when its turn comes. */
export interface GgufWriteTensor {
  readonly name: string;
  /** From the slowest to the fastest axis. */
  readonly shape: readonly number[];
  readonly type: GgufWriteType;
  /** Row-major. */
  readonly values: () => Promise<Float32Array>;
}

/** What a file shall hold. */
export interface GgufContents {
  readonly metadata: ReadonlyMap<string, GgufEntry>;
  readonly tensors: readonly GgufWriteTensor[];
}

/** A file that is written when its pieces are asked for. */
export interface GgufFile {
  /** Bytes of the whole file. */
  readonly bytes: number;
  /** The file from its beginning; rejects with RangeError where values do not fill their tensor or its type cannot hold them. */
  readonly chunks: () => AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
}

const ALIGNMENT = 32;
const VERSION = 3;
/** Weights that are encoded at once: whole blocks of every type. */
const CHUNK_WEIGHTS = 1 << 20;

const encoders: Readonly<Record<GgufWriteType, (values: Float32Array) => Uint8Array<ArrayBuffer>>> = {
  F32: encodeSingle,
  F16: encodeHalf,
  Q8_0: encodeQ8_0,
};

/** Collects the bytes of a header. */
class HeaderWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  number(bytes: number, write: (view: DataView) => void): void {
    const part = new Uint8Array(bytes);
    write(new DataView(part.buffer));
    this.add(part);
  }

  uint32(value: number): void {
    this.number(4, (view) => view.setUint32(0, value, true));
  }

  uint64(value: number): void {
    this.number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.uint64(bytes.length);
    this.add(bytes);
  }

  /** All of it, with zeros up to a multiple of the alignment. */
  join(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(aligned(this.#length));
    let position = 0;
    for (const part of this.#parts) {
      joined.set(part, position);
      position += part.length;
    }
    return joined;
  }
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function writeNumbers(
  header: HeaderWriter,
  type: number,
  values: readonly number[],
  set: (view: DataView, offset: number, value: number) => void,
): void {
  header.uint32(valueTypes.array);
  header.uint32(type);
  header.uint64(values.length);
  header.number(4 * values.length, (view) => values.forEach((value, index) => set(view, 4 * index, value)));
}

const setFloat = (view: DataView, offset: number, value: number) => view.setFloat32(offset, value, true);
const setInt = (view: DataView, offset: number, value: number) => view.setInt32(offset, value, true);

function writeEntry(header: HeaderWriter, entry: GgufEntry): void {
  switch (entry.type) {
    case "strings":
      header.uint32(valueTypes.array);
      header.uint32(valueTypes.string);
      header.uint64(entry.value.length);
      for (const text of entry.value) header.string(text);
      return;
    case "float32s":
      return writeNumbers(header, valueTypes.float32, entry.value, setFloat);
    case "int32s":
      return writeNumbers(header, valueTypes.int32, entry.value, setInt);
    case "string":
      header.uint32(valueTypes.string);
      return header.string(entry.value);
    case "bool":
      header.uint32(valueTypes.bool);
      return header.add(Uint8Array.of(entry.value ? 1 : 0));
    case "uint32":
      header.uint32(valueTypes.uint32);
      return header.uint32(entry.value);
    case "float32":
      header.uint32(valueTypes.float32);
      return header.number(4, (view) => setFloat(view, 0, entry.value));
    case "int32":
      header.uint32(valueTypes.int32);
      return header.number(4, (view) => setInt(view, 0, entry.value));
  }
}

function countOf({ shape }: Pick<GgufWriteTensor, "shape">): number {
  return shape.reduce((product, size) => product * size, 1);
}

function bytesOf(tensor: GgufWriteTensor): number {
  const { weights, bytes } = ggufTypes[tensor.type];
  const inputs = tensor.shape.at(-1) ?? 0;
  if (inputs === 0 || inputs % weights !== 0)
    throw new RangeError(
      `Tensor "${tensor.name}" has rows of ${inputs} values, ${tensor.type} needs a multiple of ${weights}.`,
    );
  return (countOf(tensor) / weights) * bytes;
}

function writeHeader({ metadata, tensors }: GgufContents): {
  header: Uint8Array<ArrayBuffer>;
  dataBytes: number;
} {
  const header = new HeaderWriter();
  header.add(new TextEncoder().encode("GGUF"));
  header.uint32(VERSION);
  header.uint64(tensors.length);
  header.uint64(metadata.size);
  for (const [key, entry] of metadata) {
    header.string(key);
    writeEntry(header, entry);
  }
  let offset = 0;
  for (const tensor of tensors) {
    header.string(tensor.name);
    header.uint32(tensor.shape.length);
    for (const size of tensor.shape.toReversed()) header.uint64(size);
    header.uint32(ggufTypes[tensor.type].id);
    header.uint64(offset);
    offset += aligned(bytesOf(tensor));
  }
  return { header: header.join(), dataBytes: offset };
}

/** From here on a value becomes infinite in 16 bits. */
const LEAST_INFINITE = 65_520;

function checkHalves(name: string, values: Float32Array): void {
  for (const value of values) {
    if (Math.abs(value) < LEAST_INFINITE) continue;
    throw new RangeError(`Tensor "${name}" holds ${value}, which 16-bit floats cannot: write it as Q8_0.`);
  }
}

async function* encodeTensor(tensor: GgufWriteTensor): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const values = await tensor.values();
  if (values.length !== countOf(tensor))
    throw new RangeError(
      `Tensor "${tensor.name}" of shape [${tensor.shape.join(", ")}] cannot hold ${values.length} values.`,
    );
  if (tensor.type === "F16") checkHalves(tensor.name, values);
  for (let start = 0; start < values.length; start += CHUNK_WEIGHTS)
    yield encoders[tensor.type](values.subarray(start, start + CHUNK_WEIGHTS));
  const bytes = bytesOf(tensor);
  if (aligned(bytes) > bytes) yield new Uint8Array(aligned(bytes) - bytes);
}

/**
 * Prepares a file: its size is known at once, and of its tensors one at a time is asked for and encoded.
 * Throws RangeError for rows that are not whole blocks.
 */
export function writeGguf(contents: GgufContents): GgufFile {
  const { header, dataBytes } = writeHeader(contents);
  return {
    bytes: header.length + dataBytes,
    chunks: async function* () {
      yield header;
      for (const tensor of contents.tensors) yield* encodeTensor(tensor);
    },
  };
}
