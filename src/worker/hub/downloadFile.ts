/** One file from a Hub into the browser's storage, in ranges; what has come stays, and is checked at the end. */
import type { FileStore } from "../../storage/fileStore.ts";
import { again, contentRange, type HubAccess, type HubDoor } from "./hubAccess.ts";
import { bareEtag, type FileSource, type HubFile } from "./hubClient.ts";
import { brokenOff, HubError, inMegabytes, wholeOnly, type HubSubject } from "./hubError.ts";
import { createStreamingHash, type StreamingHash } from "./streamingHash.ts";

/** The file, and what becomes of it. */
export interface FileDownload {
  readonly access: HubAccess;
  readonly door: Pick<HubDoor, "wait" | "rangeBytes">;
  readonly store: FileStore;
  readonly file: HubFile;
  readonly source: FileSource;
  /** Name in the store. */
  readonly storedAs: string;
  readonly subject: HubSubject;
  readonly signal: AbortSignal;
  /** Bytes that are here by now. */
  readonly onBytes: (doneBytes: number) => void;
}

/**
 * Goes on behind what is there and puts the file under its name when its length and its hash are right; otherwise removes it.
 * Throws `HubError`, `StorageError`, or the signal's reason.
 */
export async function downloadFile(download: FileDownload): Promise<void> {
  const { door, store, file, storedAs, signal } = download;
  const hash = startHash(file);
  let at = await takeUp(download, hash);
  let before = at;
  await again(
    door,
    async () => {
      before = at;
      while (at < file.bytes) {
        await fetchRange(download, at, async (bytes) => {
          await store.append(storedAs, bytes, at);
          hash?.update(bytes);
          at += bytes.length;
        });
      }
    },
    { hasMoved: () => at > before, signal },
  );
  const found = hash?.digest() ?? null;
  if (found !== null && file.hash !== null && found !== file.hash.value) {
    await store.remove(storedAs);
    throw damaged(download, found, file.hash.value);
  }
  await store.finish(storedAs);
}

/** Git hashes a header before the content. */
function startHash({ hash, bytes }: HubFile): StreamingHash | null {
  if (hash === null) return null;
  const streaming = createStreamingHash(hash.name);
  if (hash.name === "sha1") streaming.update(new TextEncoder().encode(`blob ${bytes}\0`));
  return streaming;
}

/** Reads what an earlier try left, for the hash; answers with where to go on. */
async function takeUp(
  { door, store, storedAs, file, signal }: FileDownload,
  hash: StreamingHash | null,
): Promise<number> {
  const there = await store.openUnfinished(storedAs);
  if (there === null) return 0;
  if (there.size > file.bytes) {
    await store.remove(storedAs);
    return 0;
  }
  const { rangeBytes } = door;
  for (let at = 0; at < there.size; at += rangeBytes) {
    signal.throwIfAborted();
    hash?.update(new Uint8Array(await there.slice(at, at + rangeBytes).arrayBuffer()));
  }
  return there.size;
}

/** Asks for the next range and writes what comes of it, also when the connection breaks. */
async function fetchRange(
  download: FileDownload,
  at: number,
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const { access, door, file, source, subject, signal, onBytes } = download;
  const end = Math.min(at + door.rangeBytes, file.bytes);
  const { accessToken } = access.credentials();
  const response = await access.open(source.url, {
    headers: {
      range: `bytes=${at}-${end - 1}`,
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    },
    cache: "no-store",
    signal,
  });
  checkRange(response, download, { begin: at, end });
  const buffer = new Uint8Array(end - at);
  let filled = 0;
  const { body } = response;
  const isBroken = await readPieces(body, (piece) => {
    if (filled + piece.length > buffer.length) throw wholeOnly(subject);
    buffer.set(piece, filled);
    filled += piece.length;
    onBytes(at + filled);
  });
  if (filled > 0) await write(filled === buffer.length ? buffer : buffer.slice(0, filled));
  signal.throwIfAborted();
  if (isBroken || filled < buffer.length)
    throw brokenOff(subject, { doneBytes: at + filled, totalBytes: file.bytes });
}

/** Takes a body as it comes; true where it broke off. */
async function readPieces(body: Response["body"], take: (piece: Uint8Array) => void): Promise<boolean> {
  const reader = body?.getReader();
  for (;;) {
    let next: Awaited<ReturnType<NonNullable<typeof reader>["read"]>> | undefined;
    try {
      next = await reader?.read();
    } catch {
      return true;
    }
    if (next === undefined || next.done) return false;
    take(next.value);
  }
}

/** The answer has to be the part that was asked for, of the file that was looked at. */
function checkRange(
  response: Response,
  { access, file, source, subject }: FileDownload,
  { begin, end }: { readonly begin: number; readonly end: number },
): void {
  const range = contentRange(response);
  if (response.status !== 206) throw wholeOnly(subject);
  if (range !== null && (range.begin !== begin || range.end > end)) throw wholeOnly(subject);
  const isHubs =
    URL.canParse(response.url) && new URL(response.url).origin === new URL(access.hubUrl()).origin;
  const etag = response.headers.get("x-linked-etag") ?? (isHubs ? response.headers.get("etag") : null);
  if (range !== null && range.total !== file.bytes) throw otherLength(subject, range.total, file.bytes);
  if (etag !== null && bareEtag(etag) !== source.etag) throw changed(subject);
}

/** What is sent is not what the Hub lists. */
export function otherLength(subject: HubSubject, sent: number, listed: number): HubError {
  return new HubError(
    `Incomplete file: ${subject.host} sends ${inMegabytes(sent)} of "${subject.file}", and lists ${inMegabytes(listed)}. Try again later.`,
    subject,
    { code: "FIL-2" },
  );
}

/** The file became another one while it was downloaded. */
function changed(subject: HubSubject): HubError {
  return new HubError(
    `"${subject.file}" was changed on ${subject.host} while it was downloaded. Try again: it starts from its beginning.`,
    subject,
    { code: "FIL-2" },
  );
}

/** Characters of a hash that are shown. */
const SHOWN_CHARACTERS = 8;

function damaged({ subject, file }: FileDownload, found: string, expected: string): HubError {
  const short = (value: string) => `${value.slice(0, SHOWN_CHARACTERS)}…`;
  const name = file.hash?.name === "sha1" ? "SHA-1" : "SHA-256";
  return new HubError(
    `"${file.name}" from ${subject.host} did not arrive as it was sent: its ${name} is ${short(found)}, expected ${short(expected)}. ` +
      "It was deleted. Try again.",
    subject,
    { code: "FIL-2" },
  );
}
