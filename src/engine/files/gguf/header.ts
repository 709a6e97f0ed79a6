/** The header of a GGUF file: metadata, and what tensors lie where. Source: ggml's docs/gguf.md. */
import { sizeOf, type FileBytes } from "../fileBytes.ts";
import { FileFormatError, incompleteFile } from "../fileFormatError.ts";
import { readMetadata, type GgufMetadata } from "./metadata.ts";
import { SequentialReader } from "./sequentialReader.ts";
import { ggufTypeNames, ggufTypeOf, ggufTypes, nameOfOtherType, type GgufType } from "./tensorTypes.ts";

/** Where a tensor lies in its file. */
export interface GgufTensor {
  readonly name: string;
  /** From the slowest to the fastest axis: the file's own order reversed. */
  readonly shape: readonly number[];
  readonly type: GgufType;
  /** First byte, and the one after the last, from the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}

/** What a file says of itself. */
export interface GgufHeader {
  readonly metadata: GgufMetadata;
  /** In the order of the file. */
  readonly tensors: readonly GgufTensor[];
}

const MAGIC = 0x4655_4747;
const DEFAULT_ALIGNMENT = 32;
const LARGEST_ALIGNMENT = 65_536;
const MAX_NAME_BYTES = 64;
const MAX_DIMS = 4;
/** Of a tensor with one size and no name. */
const LEAST_TENSOR_BYTES = 32;

async function readCounts(reader: SequentialReader, file: string) {
  const refuse = (problem: string): never => {
    throw new FileFormatError("FIL-1", file, problem);
  };
  if (reader.remaining < 4 || (await reader.uint32()) !== MAGIC)
    refuse('not a GGUF file: it does not begin with "GGUF".');
  const version = await reader.uint32();
  if ((version & 0xffff) === 0) refuse("a big-endian GGUF file, expected little-endian.");
  if (version !== 2 && version !== 3) refuse(`GGUF version ${version}, expected 2 or 3.`);
  const tensors = await reader.uint64("the number of tensors");
  const entries = await reader.uint64("the number of values in the metadata");
  reader.checkLength(entries + tensors * LEAST_TENSOR_BYTES);
  return { tensors, entries };
}

function readAlignment(metadata: GgufMetadata, file: string): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment === "number" && Number.isInteger(alignment)) {
    if (alignment > 0 && alignment % 8 === 0 && alignment <= LARGEST_ALIGNMENT) return alignment;
  }
  throw new FileFormatError(
    "FIL-1",
    file,
    `general.alignment is ${String(alignment)}, expected a multiple of 8 up to ${LARGEST_ALIGNMENT}.`,
  );
}

interface TensorInfo extends Omit<GgufTensor, "begin" | "end"> {
  readonly bytes: number;
  /** From the beginning of the data. */
  readonly offset: number;
}

async function readDims(reader: SequentialReader, field: string, file: string): Promise<number[]> {
  const count = await reader.uint32();
  if (count < 1 || count > MAX_DIMS)
    throw new FileFormatError("FIL-1", file, `${field} has ${count} sizes, expected 1 to ${MAX_DIMS}.`);
  const dims: number[] = [];
  for (let index = 0; index < count; index++) dims.push(await reader.uint64(`a size of ${field}`));
  return dims;
}

async function readTensorInfo(reader: SequentialReader, index: number, file: string): Promise<TensorInfo> {
  const name = await reader.string(`the name of tensor ${index}`, MAX_NAME_BYTES);
  const field = `tensor ${JSON.stringify(name)}`;
  const refuse = (problem: string): never => {
    throw new FileFormatError("FIL-1", file, `${field} ${problem}`);
  };
  const dims = await readDims(reader, field, file);
  const id = await reader.uint32();
  const type = ggufTypeOf(id);
  if (type === undefined)
    return refuse(`is stored as ${nameOfOtherType(id)}, expected one of ${ggufTypeNames.join(", ")}.`);
  const { weights, bytes } = ggufTypes[type];
  const [inputs = 0] = dims;
  const count = dims.reduce((product, size) => product * size, 1);
  if (count < 1 || !Number.isSafeInteger(count * bytes))
    return refuse(`has sizes [${dims.join(", ")}], expected at least 1 each, and a product below 2^53.`);
  if (inputs % weights !== 0)
    return refuse(`has rows of ${inputs} values, expected a multiple of ${weights} for ${type}.`);
  const offset = await reader.uint64(`the offset of ${field}`);
  return { name, shape: dims.toReversed(), type, bytes: (count / weights) * bytes, offset };
}

function aligned(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Refuses tensors that overlap, leave a gap, lie off the alignment, or do not end with the file. */
function checkCoverage(
  infos: readonly TensorInfo[],
  data: { begin: number; alignment: number; size: number; file: string },
): void {
  const { begin, alignment, size, file } = data;
  let end = 0;
  for (const { name, offset, bytes } of infos.toSorted((a, b) => a.offset - b.offset)) {
    const expected = aligned(end, alignment);
    if (offset !== expected)
      throw new FileFormatError(
        "FIL-1",
        file,
        `tensor ${JSON.stringify(name)} has the offset ${offset}, expected ${expected}: ` +
          `tensors ${offset < expected ? "overlap" : "leave a gap"}.`,
      );
    end = offset + bytes;
  }
  if (begin + end > size) throw incompleteFile(file, size, begin + end);
  if (size > begin + aligned(end, alignment))
    throw new FileFormatError(
      "FIL-1",
      file,
      `the tensors end at byte ${begin + end}, the file has ${size} bytes.`,
    );
}

/**
 * Reads and checks the header; of the data nothing is read. Throws `FileFormatError` (FIL-2 where the file is cut)
 * before anything is allocated that the file could not hold.
 */
export async function readGgufHeader(bytes: FileBytes, file: string): Promise<GgufHeader> {
  const reader = new SequentialReader(bytes, file);
  const counts = await readCounts(reader, file);
  const metadata = await readMetadata(reader, counts.entries, file);
  const alignment = readAlignment(metadata, file);
  const infos: TensorInfo[] = [];
  const names = new Set<string>();
  for (let index = 0; index < counts.tensors; index++) {
    const info = await readTensorInfo(reader, index, file);
    if (names.has(info.name))
      throw new FileFormatError("FIL-1", file, `tensor ${JSON.stringify(info.name)} is there twice.`);
    names.add(info.name);
    infos.push(info);
  }
  const begin = aligned(reader.position, alignment);
  checkCoverage(infos, { begin, alignment, size: sizeOf(bytes), file });
  const tensors = infos.map(({ name, shape, type, offset, bytes: length }) => ({
    name,
    shape,
    type,
    begin: begin + offset,
    end: begin + offset + length,
  }));
  return { metadata, tensors };
}
