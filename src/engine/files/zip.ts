/** Zip archives by ranges: the directory is read, and of the files only those that are asked for. */
import { crc32 } from "./crc32.ts";
import { readRange, sizeOf, type FileBytes } from "./fileBytes.ts";
import { FileFormatError } from "./fileFormatError.ts";

/** An archive whose directory was read. */
export interface ZipArchive {
  /** Full names of its files, in the directory's order; folders are left out. */
  readonly names: readonly string[];
  /** The bytes of one file in memory; throws `FileFormatError` where it is damaged, and for a name that is not there. */
  readonly read: (name: string) => Promise<Uint8Array>;
  /**
   * The same, left where they lie: a stored file is a range of the archive, a deflated one is unpacked into a Blob. All
   * of it is read once, piece by piece, because its checksum must be right.
   */
  readonly open: (name: string) => Promise<FileBytes>;
}

/** A file of the archive as the directory describes it. */
interface Member {
  readonly nameBytes: Uint8Array;
  readonly method: number;
  readonly checksum: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its own header begins. */
  readonly offset: number;
}

interface Directory {
  readonly source: FileBytes;
  /** Name of the archive, and of the file in it where one is read. */
  readonly file: string;
  /** Where the directory begins, and every member has ended. */
  readonly start: number;
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
/** A 32-bit field that says that the number is elsewhere, in 64 bits. */
const IN_64_BITS = 0xffffffff;
/** Bytes that are looked at between two reads of a stored file. */
const PIECE_BYTES = 1 << 22;

function broken(file: string, problem: string): FileFormatError {
  return new FileFormatError("FIL-1", file, problem);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The end record: the last thing in the archive but for a comment that fills the rest exactly. */
async function findEnd(source: FileBytes, file: string, kind: string) {
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
    : broken(file, `not ${kind}.`);
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
async function dataStart(directory: Directory, member: Member): Promise<number> {
  const { source, file } = directory;
  const { nameBytes, offset, method, packedBytes } = member;
  const headerEnd = Math.min(offset + LOCAL.bytes + nameBytes.length, directory.start);
  const bytes = await readRange(source, offset, headerEnd);
  const view = viewOf(bytes);
  const isWhole =
    bytes.length === LOCAL.bytes + nameBytes.length &&
    view.getUint32(0, true) === LOCAL.signature &&
    view.getUint16(8, true) === method &&
    view.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, at) => byte === bytes[LOCAL.bytes + at]);
  if (!isWhole) throw broken(file, "its header in the archive is damaged.");
  const start = offset + bytes.length + view.getUint16(28, true);
  if (start + packedBytes > directory.start)
    throw broken(file, `${packedBytes} bytes are said to lie at ${start}, where the archive has no more.`);
  return start;
}

/** A member's data as they lie in the archive, once the directory's figures were found possible. */
async function packedData(directory: Directory, member: Member): Promise<FileBytes> {
  const { method, packedBytes, bytes, offset } = member;
  const { source, file } = directory;
  if (packedBytes === IN_64_BITS || bytes === IN_64_BITS || offset === IN_64_BITS)
    throw broken(file, "larger than 4 GB, which is more than is read at once.");
  if (method !== STORED && method !== DEFLATED)
    throw broken(file, `the method of compression is ${method}, expected stored (0) or deflated (8).`);
  if (method === STORED ? bytes !== packedBytes : bytes > packedBytes * MAX_EXPANSION)
    throw broken(file, `${packedBytes} bytes in the archive cannot hold ${bytes}.`);
  const start = await dataStart(directory, member);
  const end = start + packedBytes;
  return source instanceof Blob ? source.slice(start, end) : source.subarray(start, end);
}

function damagedChecksum(file: string): FileFormatError {
  return broken(file, "damaged: the checksum is another one.");
}

/** What deflated bytes unpack to; unpacking ends where they are more than the directory says. */
async function inflate(packed: FileBytes, { bytes, checksum }: Member, file: string): Promise<Blob> {
  let [total, sum] = [0, 0];
  // Not every browser hands an error of a stream on as it is.
  let problem: FileFormatError | null = null;
  const fail = (error: FileFormatError) => {
    problem = error;
    throw error;
  };
  const check = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      total += chunk.length;
      if (total > bytes) fail(broken(file, `unpacks to more bytes, expected ${bytes}.`));
      sum = crc32(chunk, sum);
      controller.enqueue(chunk);
    },
    flush: () => {
      if (total !== bytes) fail(broken(file, `unpacks to ${total} bytes, expected ${bytes}.`));
      if (sum !== checksum) fail(damagedChecksum(file));
    },
  });
  const blob = packed instanceof Blob ? packed : new Blob([packed as Uint8Array<ArrayBuffer>]);
  const unpacking = blob.stream().pipeThrough(new DecompressionStream("deflate-raw")).pipeThrough(check);
  try {
    return await new Response(unpacking).blob();
  } catch {
    throw problem ?? broken(file, "the packed data are damaged.");
  }
}

/** Reads a stored file through, piece by piece. */
async function checkStored(bytes: FileBytes, { checksum }: Member, file: string): Promise<void> {
  let sum = 0;
  for (let at = 0; at < sizeOf(bytes); at += PIECE_BYTES)
    sum = crc32(await readRange(bytes, at, at + PIECE_BYTES), sum);
  if (sum !== checksum) throw damagedChecksum(file);
}

/** The members by their names, folders left out. */
async function readDirectory(source: FileBytes, file: string, kind: string) {
  const { view, offset } = await findEnd(source, file, kind);
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
    const name = new TextDecoder().decode(member.nameBytes);
    if (name.endsWith("/")) continue;
    if (members.has(name)) throw broken(file, `the archive holds ${name} twice.`);
    members.set(name, member);
  }
  return { members, start };
}

/**
 * Opens a zip archive; files are stored or deflated. Throws `FileFormatError` (FIL-2 when the end is missing) for
 * anything else, which "is not" `kind`; archives beyond 4 GB are refused. Source: APPNOTE.TXT, the format's specification.
 */
export async function openZip(source: FileBytes, file: string, kind = "a zip archive"): Promise<ZipArchive> {
  const { members, start } = await readDirectory(source, file, kind);
  const open = async (name: string): Promise<FileBytes> => {
    const member = members.get(name);
    if (member === undefined) throw broken(file, `the archive holds no ${name}.`);
    const directory = { source, start, file: `${file}: ${name}` };
    const packed = await packedData(directory, member);
    if (member.method === DEFLATED) return inflate(packed, member, directory.file);
    await checkStored(packed, member, directory.file);
    return packed;
  };
  return {
    names: [...members.keys()],
    open,
    read: async (name) => {
      const bytes = await open(name);
      return readRange(bytes, 0, sizeOf(bytes));
    },
  };
}
