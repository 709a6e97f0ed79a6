/** Archives of arrays as NumPy's `savez` and `savez_compressed` write them: zip files of `.npy` files. */
import { crc32 } from "./crc32.ts";
import { readRange, sizeOf, type FileBytes } from "./fileBytes.ts";
import { FileFormatError } from "./fileFormatError.ts";
import { readNpy } from "./npy.ts";
import type { NamedArray } from "./safetensors.ts";

/** An archive whose directory was read; its arrays are read one by one. */
export interface Npz {
  /** Names of the arrays, without `.npy`. */
  readonly names: readonly string[];
  /** Reads, checks and unpacks one array; throws `FileFormatError` where it is damaged, and for a name that is not there. */
  readonly read: (name: string) => Promise<NamedArray>;
}

/** A file of the archive as the directory describes it. */
interface Member {
  /** As it is written, with `.npy`. */
  readonly nameBytes: Uint8Array;
  readonly method: number;
  readonly checksum: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its own header begins. */
  readonly offset: number;
}

interface Archive {
  readonly source: FileBytes;
  readonly file: string;
  /** Where the directory begins, and every member has ended. */
  readonly directoryStart: number;
}

const END = { signature: 0x06054b50, bytes: 22 } as const;
const ENTRY = { signature: 0x02014b50, bytes: 46 } as const;
const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
/** A comment after the end record is as long as 16 bits can say. */
const MAX_COMMENT_BYTES = 0xffff;
const STORED = 0;
const DEFLATED = 8;
/** Deflate makes at most this many bytes of one. */
const MAX_EXPANSION = 1032;
const ENCRYPTED = 1;
const EXTENSION = ".npy";
/** A 32-bit field that says that the number is elsewhere, in 64 bits. */
const IN_64_BITS = 0xffffffff;

function broken(file: string, problem: string): FileFormatError {
  return new FileFormatError("FIL-1", file, problem);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The end record: the last thing in the archive but for a comment that fills the rest exactly. */
async function findEnd(source: FileBytes, file: string): Promise<{ view: DataView; offset: number }> {
  const size = sizeOf(source);
  const start = Math.max(0, size - END.bytes - MAX_COMMENT_BYTES);
  const view = viewOf(await readRange(source, start, size));
  for (let at = view.byteLength - END.bytes; at >= 0; at--) {
    if (view.getUint32(at, true) !== END.signature) continue;
    if (at + END.bytes + view.getUint16(at + 20, true) !== view.byteLength) continue;
    return { view: new DataView(view.buffer, view.byteOffset + at, END.bytes), offset: start + at };
  }
  const first = viewOf(await readRange(source, 0, 4));
  throw first.byteLength === 4 && first.getUint32(0, true) === LOCAL.signature
    ? new FileFormatError("FIL-2", file, "Incomplete file: the archive's directory is missing at its end.")
    : broken(file, "not an archive of arrays (.npz).");
}

/** The members that the directory lists. */
function parseDirectory(bytes: Uint8Array, count: number, file: string): Member[] {
  const view = viewOf(bytes);
  const members: Member[] = [];
  let at = 0;
  for (let entry = 0; entry < count; entry++) {
    if (at + ENTRY.bytes > bytes.length || view.getUint32(at, true) !== ENTRY.signature)
      throw broken(file, `entry ${entry + 1} of ${count} of the archive's directory is damaged.`);
    const nameEnd = at + ENTRY.bytes + view.getUint16(at + 28, true);
    if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) throw broken(file, "the archive is encrypted.");
    members.push({
      nameBytes: bytes.subarray(at + ENTRY.bytes, nameEnd),
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  if (at !== bytes.length)
    throw broken(file, `the archive's directory has ${bytes.length} bytes, its ${count} entries ${at}.`);
  return members;
}

/** Where a member's data begin: its own header must agree with the directory. */
async function dataStart({ source, file, directoryStart }: Archive, member: Member): Promise<number> {
  const { nameBytes, offset, method, packedBytes } = member;
  const bytes = await readRange(
    source,
    offset,
    Math.min(offset + LOCAL.bytes + nameBytes.length, directoryStart),
  );
  const view = viewOf(bytes);
  const isWhole =
    bytes.length === LOCAL.bytes + nameBytes.length &&
    view.getUint32(0, true) === LOCAL.signature &&
    view.getUint16(8, true) === method &&
    view.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, at) => byte === bytes[LOCAL.bytes + at]);
  if (!isWhole) throw broken(file, "its header in the archive is damaged.");
  const start = offset + bytes.length + view.getUint16(28, true);
  if (start + packedBytes > directoryStart)
    throw broken(file, `${packedBytes} bytes are said to lie at ${start}, where the archive has no more.`);
  return start;
}

/** What deflated bytes unpack to; never holds more than `expected` bytes and a chunk of them. */
async function inflate(packed: Uint8Array, expected: number, file: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      total += value.length;
      if (total > expected) break;
    }
  } catch {
    throw broken(file, "the packed data are damaged.");
  }
  if (total !== expected) {
    // What is left is of no use, and neither is what goes wrong in it.
    await reader.cancel().catch(() => undefined);
    throw broken(file, `unpacks to ${total > expected ? "more" : total} bytes, expected ${expected}.`);
  }
  const bytes = new Uint8Array(expected);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function readMember(archive: Archive, member: Member, name: string): Promise<NamedArray> {
  const file = `${archive.file}: ${name}${EXTENSION}`;
  const { method, packedBytes, bytes, checksum, offset } = member;
  if (packedBytes === IN_64_BITS || bytes === IN_64_BITS || offset === IN_64_BITS)
    throw broken(file, "larger than 4 GB, which is more than is read at once.");
  if (method !== STORED && method !== DEFLATED)
    throw broken(file, `the method of compression is ${method}, expected stored (0) or deflated (8).`);
  if (method === STORED ? bytes !== packedBytes : bytes > packedBytes * MAX_EXPANSION)
    throw broken(file, `${packedBytes} bytes in the archive cannot hold ${bytes}.`);
  const start = await dataStart({ ...archive, file }, member);
  const packed = await readRange(archive.source, start, start + packedBytes);
  const unpacked = method === STORED ? packed : await inflate(packed, bytes, file);
  if (crc32(unpacked) !== checksum) throw broken(file, "damaged: the checksum is another one.");
  return readNpy(unpacked, file);
}

/**
 * Opens an `.npz`: reads its directory alone, and of the rest what is asked for. Members are stored or deflated.
 * Throws `FileFormatError` (FIL-2 when the end is missing) for anything else; archives beyond 4 GB are refused.
 * Source: APPNOTE.TXT, the zip format's specification.
 */
export async function openNpz(source: FileBytes, file: string): Promise<Npz> {
  const { view, offset } = await findEnd(source, file);
  const [disk, count, bytes, start] = [
    view.getUint32(4, true),
    view.getUint16(10, true),
    view.getUint32(12, true),
    view.getUint32(16, true),
  ] as const;
  if (start === IN_64_BITS || bytes === IN_64_BITS)
    throw broken(file, "an archive beyond 4 GB, which is more than is read.");
  if (disk !== 0 || view.getUint16(8, true) !== count || start + bytes !== offset)
    throw broken(file, `the archive's directory is not the ${bytes} bytes at ${start} before its end.`);
  const members = new Map<string, Member>();
  for (const member of parseDirectory(await readRange(source, start, offset), count, file)) {
    const fullName = new TextDecoder().decode(member.nameBytes);
    if (!fullName.endsWith(EXTENSION)) continue;
    const name = fullName.slice(0, -EXTENSION.length);
    if (members.has(name)) throw broken(file, `the archive holds ${fullName} twice.`);
    members.set(name, member);
  }
  const archive = { source, file, directoryStart: start };
  return {
    names: [...members.keys()],
    read: async (name) => {
      const member = members.get(name);
      if (member === undefined) throw broken(file, `the array ${name} is missing.`);
      return readMember(archive, member, name);
    },
  };
}
