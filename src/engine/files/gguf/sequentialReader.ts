import { readRange, sizeOf, type FileBytes } from "../fileBytes.ts";
import { FileFormatError } from "../fileFormatError.ts";

/** Far above any real header: vocabulary and merges of the largest models take some 30 MB. */
const MAX_HEADER_BYTES = 100_000_000;
/** Read at once where the bytes are not in memory. */
const WINDOW_BYTES = 1 << 20;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a header of unknown length from the beginning of a file, a window at a time. What is about to be read is
 * announced with `fill` (or `has` says that it is there), which is where lengths are checked.
 */
export class SequentialReader {
  readonly #source: FileBytes;
  readonly #file: string;
  readonly #size: number;
  #window: Uint8Array = new Uint8Array();
  #view = new DataView(this.#window.buffer);
  #windowStart = 0;
  #next = 0;

  constructor(source: FileBytes, file: string) {
    this.#source = source;
    this.#file = file;
    this.#size = sizeOf(source);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#windowStart + this.#next;
  }

  /** Bytes of the file that are not read yet. */
  get remaining(): number {
    return this.#size - this.position;
  }

  /** Whether `count` more bytes can be read without waiting. */
  has(count: number): boolean {
    return count <= this.#window.length - this.#next;
  }

  /** Makes `count` more bytes readable; throws FIL-2 where the file ends before them, FIL-1 where no header is that long. */
  async fill(count: number): Promise<void> {
    if (this.has(count)) return;
    this.checkLength(count);
    const begin = this.position;
    const end = Math.min(this.#size, begin + Math.max(count, WINDOW_BYTES));
    this.#window = await readRange(this.#source, begin, end);
    if (this.#window.length < count) throw this.#incomplete(begin + count);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.length);
    this.#windowStart = begin;
    this.#next = 0;
  }

  /** Throws where the file has no `count` more bytes, or a header would be too long with them. */
  checkLength(count: number): void {
    const end = this.position + count;
    if (end > MAX_HEADER_BYTES)
      throw new FileFormatError(
        "FIL-1",
        this.#file,
        `the header asks for ${end} bytes, expected at most ${MAX_HEADER_BYTES}: it is damaged.`,
      );
    if (end > this.#size) throw this.#incomplete(end);
  }

  #incomplete(end: number): FileFormatError {
    return new FileFormatError(
      "FIL-2",
      this.#file,
      `Incomplete file: ${this.#size} bytes, but its header goes on to byte ${end} at least.`,
    );
  }

  /** The next bytes, which must be announced; not a copy. */
  take(count: number): Uint8Array {
    this.#next += count;
    return this.#window.subarray(this.#next - count, this.#next);
  }

  /** The next number of `bytes` bytes, which must be announced. */
  read<Value>(bytes: number, from: (view: DataView, offset: number) => Value): Value {
    this.#next += bytes;
    return from(this.#view, this.#next - bytes);
  }

  /** A whole number in 32 bits. */
  async uint32(): Promise<number> {
    await this.fill(4);
    return this.read(4, (view, offset) => view.getUint32(offset, true));
  }

  /** A count or an offset in 64 bits, at most `largest`; throws FIL-1 above, naming `field`. */
  async uint64(field: string, largest = Number.MAX_SAFE_INTEGER): Promise<number> {
    await this.fill(8);
    return this.#boundedUint64(field, largest);
  }

  #boundedUint64(field: string, largest: number): number {
    const value = this.read(8, (view, offset) => view.getBigUint64(offset, true));
    if (value > largest)
      throw new FileFormatError("FIL-1", this.#file, `${field} is ${value}, expected at most ${largest}.`);
    return Number(value);
  }

  /** A text of at most `largest` bytes of UTF-8. */
  async string(field: string, largest = MAX_HEADER_BYTES): Promise<string> {
    if (!this.has(8)) await this.fill(8);
    const length = this.#boundedUint64(`the length of ${field}`, largest);
    if (!this.has(length)) await this.fill(length);
    try {
      return utf8.decode(this.take(length));
    } catch {
      throw new FileFormatError("FIL-1", this.#file, `${field} is not UTF-8.`);
    }
  }
}
