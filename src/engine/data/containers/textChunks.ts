/** The text of a file, piece by piece: only a piece of it is in memory beside what is made of it. */
import { sizeOf } from "../../files/fileBytes.ts";
import { unknownFile, unreadable, type DataFile } from "./dataFile.ts";

/** Bytes of a piece of a file in memory. */
const PIECE_BYTES = 1 << 20;
/** Text that packs better than this is a trap: what people write packs to a tenth, and the format itself allows 1032. */
const MAX_EXPANSION = 200;
/** Small files may expand to this much whatever their size. */
const ALWAYS_ALLOWED_BYTES = 1 << 24;

async function* piecesOf(bytes: DataFile["bytes"]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const size = sizeOf(bytes);
  for (let at = 0; at < size; at += PIECE_BYTES) {
    const end = Math.min(size, at + PIECE_BYTES);
    yield bytes instanceof Blob
      ? new Uint8Array(await bytes.slice(at, end).arrayBuffer())
      : Uint8Array.from(bytes.subarray(at, end));
  }
}

function streamOf(bytes: DataFile["bytes"]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = piecesOf(bytes);
  return new ReadableStream({
    pull: async (controller) => {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
}

async function* unpacked({ name, bytes }: DataFile): AsyncGenerator<Uint8Array> {
  const size = sizeOf(bytes);
  const limit = Math.max(ALWAYS_ALLOWED_BYTES, MAX_EXPANSION * size);
  const reader = streamOf(bytes).pipeThrough(new DecompressionStream("gzip")).getReader();
  let read = 0;
  try {
    for (;;) {
      const next = await reader.read().catch((cause: unknown) => {
        const told = cause instanceof Error ? cause.message : String(cause);
        throw unreadable(name, `its gzip data is damaged or ends too early (${told}). Download it again.`);
      });
      if (next.done) return;
      read += next.value.length;
      if (read > limit)
        throw unreadable(
          name,
          `its ${size} bytes unpack to more than ${limit}, over ${MAX_EXPANSION} times as much. Unpack it first.`,
        );
      yield next.value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The text of a file, unpacked where its name ends in `.gz`; throws `DatasetError` (FIL-1) where it is not UTF-8. */
export async function* textChunks(file: DataFile, accepted?: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw unknownFile(file.name, ": it is not text in UTF-8", accepted);
    }
  };
  const bytes = /\.gz$/i.test(file.name) ? unpacked(file) : piecesOf(file.bytes);
  for await (const piece of bytes) yield decode(piece);
  yield decode();
}

/** Characters of a text that may be in memory at once, a little under what engines can hold in one. */
const MAX_CHARACTERS = 400_000_000;

/** The whole text of a file; throws `DatasetError` (FIL-1) where that is too long to be read in one piece. */
export async function wholeText(file: DataFile, accepted?: string): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of textChunks(file, accepted)) {
    length += part.length;
    if (length > MAX_CHARACTERS)
      throw unreadable(
        file.name,
        `it has more than ${MAX_CHARACTERS / 1e6} million characters in one piece. Save it as .jsonl, which is read line by line.`,
      );
    parts.push(part);
  }
  return parts.join("");
}
