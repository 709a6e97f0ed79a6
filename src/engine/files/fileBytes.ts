/** The bytes of a file: in memory, or where they lie, of which only what is asked for is read. */
export type FileBytes = Uint8Array | Blob;

/** A file by its name, with all its bytes in memory. */
export interface FileInMemory {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Number of bytes. */
export function sizeOf(bytes: FileBytes): number {
  return bytes instanceof Blob ? bytes.size : bytes.length;
}

/** All bytes; not a copy where they are in memory. */
export function allBytes(bytes: FileBytes): Promise<Uint8Array> {
  return readRange(bytes, 0, sizeOf(bytes));
}

/** The bytes from `begin` up to `end`, fewer where the file ends before; not a copy where they are in memory. */
export async function readRange(bytes: FileBytes, begin: number, end: number): Promise<Uint8Array> {
  return bytes instanceof Blob
    ? new Uint8Array(await bytes.slice(begin, end).arrayBuffer())
    : bytes.subarray(begin, end);
}
