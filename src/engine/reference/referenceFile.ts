/**
 * Reference numbers as a file, in little-endian order: magic, version, length of the header, length of the file; the
 * header in JSON; one record a pair; a fingerprint over everything before it.
 */
import { fingerprintInTurns } from "./fingerprint.ts";
import type { SparseFeatures } from "../sae/sparseFeatures.ts";
import { arrayBytes, type ReferenceAnswer, type ReferenceRecord } from "./referenceCache.ts";
import { identityParts, type ReferenceIdentity } from "./referenceIdentity.ts";

/** A file of reference numbers that cannot be used; the message says what is wrong with it and what happens now. */
export class ReferenceFileError extends Error {
  override name = "ReferenceFileError";

  constructor(problem: string) {
    super(`The kept reference values cannot be used: ${problem}. They are computed again.`);
  }
}

/** What a file holds. */
export interface ReferenceFile {
  readonly identity: ReferenceIdentity;
  /** Milliseconds that computing the records took, all passes together. */
  readonly computedMs: number;
  readonly records: ReadonlyMap<string, ReferenceRecord>;
}

const MAGIC = "PREFREFS";
/** Raised whenever a studio that does not know better would read a file wrongly. */
const VERSION = 1;
/** Byte offsets of the fields, and where the header begins. */
const AT = { version: 8, headerBytes: 12, fileBytes: 16, header: 24 } as const;
/** Hexadecimal digits of a pair's key and of the fingerprint at the end, a byte each. */
const DIGEST_BYTES = 16;
const DIGEST = /^[0-9a-f]{16}$/;
/** Log-prob (64 bits); counts of hidden numbers and of features, their width, bytes of an index (32 bits each). */
const ANSWER_BYTES = 24;
/** The count of what an answer does not have. */
const ABSENT = 0xffffffff;
const NUMBER_BYTES = 4;
const SHORT_INDEX_BYTES = 2;

/**
 * The bytes of a file; yields every few milliseconds. A record whose log-prob is not finite is left out: what went
 * wrong once must not be remembered.
 */
export function* encodeReference(file: ReferenceFile): Generator<void, Uint8Array<ArrayBuffer>, void> {
  const kept = [...file.records].filter(([, { chosen, rejected }]) =>
    [chosen, rejected].every(({ sumLogps }) => Number.isFinite(sumLogps)),
  );
  const { identity, computedMs } = file;
  const header = encodeText(JSON.stringify({ identity, computedMs, pairs: kept.length }));
  const recordBytes = kept.reduce(
    (sum, [, { chosen, rejected }]) =>
      sum + DIGEST_BYTES + 2 * ANSWER_BYTES + arrayBytes(chosen) + arrayBytes(rejected),
    0,
  );
  const bytes = new Uint8Array(AT.header + header.length + recordBytes + DIGEST_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(encodeText(MAGIC));
  view.setUint32(AT.version, VERSION, true);
  view.setUint32(AT.headerBytes, header.length, true);
  view.setBigUint64(AT.fileBytes, BigInt(bytes.length), true);
  bytes.set(header, AT.header);
  let at = AT.header + header.length;
  for (const [key, { chosen, rejected }] of kept) {
    bytes.set(encodeText(key), at);
    at = writeAnswer(bytes, at + DIGEST_BYTES, chosen);
    at = writeAnswer(bytes, at, rejected);
  }
  bytes.set(encodeText(yield* fingerprintInTurns([bytes.subarray(0, at)])), at);
  return bytes;
}

/** Reads a file; yields every few milliseconds. Throws `ReferenceFileError` for whatever is not exactly such a file. */
export function* decodeReference(bytes: Uint8Array): Generator<void, ReferenceFile, void> {
  const content = yield* checkedContent(bytes);
  const cursor = new Cursor(content, AT.header);
  const header = readHeader(cursor.take(viewOf(content).getUint32(AT.headerBytes, true), "the header"));
  const records = new Map<string, ReferenceRecord>();
  for (let pair = 0; pair < header.pairs; pair++) {
    const key = decodeText(cursor.take(DIGEST_BYTES, `pair ${pair}`));
    if (!DIGEST.test(key)) throw new ReferenceFileError(`the key of pair ${pair} is not one`);
    if (records.has(key)) throw new ReferenceFileError(`pair ${pair} is in the file twice`);
    records.set(key, { chosen: readAnswer(cursor, pair), rejected: readAnswer(cursor, pair) });
  }
  if (cursor.left > 0) {
    throw new ReferenceFileError(`${cursor.left} bytes follow the last of ${header.pairs} pairs`);
  }
  return { identity: header.identity, computedMs: header.computedMs, records };
}

/** Everything before the fingerprint at the end, once all that can be told without reading it is right. */
function* checkedContent(bytes: Uint8Array): Generator<void, Uint8Array, void> {
  if (bytes.length < AT.header + DIGEST_BYTES) {
    throw new ReferenceFileError(`the file is cut off after ${bytes.length} bytes`);
  }
  const view = viewOf(bytes);
  const magic = decodeText(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw new ReferenceFileError(`the file begins with ${JSON.stringify(magic)}`);
  const version = view.getUint32(AT.version, true);
  if (version !== VERSION) {
    throw new ReferenceFileError(`the file is of version ${version}, this studio reads version ${VERSION}`);
  }
  const expected = view.getBigUint64(AT.fileBytes, true);
  if (expected !== BigInt(bytes.length)) {
    throw new ReferenceFileError(`the file has ${bytes.length} bytes instead of ${expected}`);
  }
  const content = bytes.subarray(0, bytes.length - DIGEST_BYTES);
  const found = yield* fingerprintInTurns([content]);
  const written = decodeText(bytes.subarray(content.length));
  if (found !== written) {
    throw new ReferenceFileError(`the file of ${bytes.length} bytes was changed after it was written`);
  }
  return content;
}

interface Header {
  readonly identity: ReferenceIdentity;
  readonly computedMs: number;
  readonly pairs: number;
}

function readHeader(bytes: Uint8Array): Header {
  let header: unknown;
  try {
    header = JSON.parse(decodeText(bytes));
  } catch {
    throw new ReferenceFileError(`the header of ${bytes.length} bytes is not JSON`);
  }
  const { identity, computedMs, pairs } = asRecord(header);
  const parts = asRecord(identity);
  const nameless = identityParts.find((name) => typeof parts[name] !== "string");
  if (nameless !== undefined) throw new ReferenceFileError(`the header does not say the part "${nameless}"`);
  if (typeof pairs !== "number" || !Number.isInteger(pairs) || pairs < 0) {
    throw new ReferenceFileError("the header does not say how many pairs there are");
  }
  if (typeof computedMs !== "number") {
    throw new ReferenceFileError("the header does not say how long the values took");
  }
  return { identity: parts as unknown as ReferenceIdentity, computedMs, pairs };
}

/** Writes an answer and gives the place after it. */
function writeAnswer(bytes: Uint8Array, at: number, answer: ReferenceAnswer): number {
  const { sumLogps, hidden, features } = answer;
  const view = new DataView(bytes.buffer, at, ANSWER_BYTES);
  const counts = [
    hidden?.length ?? ABSENT,
    features?.values.length ?? ABSENT,
    features?.width ?? 0,
    features?.index?.BYTES_PER_ELEMENT ?? 0,
  ];
  view.setFloat64(0, sumLogps, true);
  counts.forEach((count, place) => {
    view.setUint32(Float64Array.BYTES_PER_ELEMENT + NUMBER_BYTES * place, count, true);
  });
  let end = at + ANSWER_BYTES;
  for (const array of [hidden, features?.index, features?.values]) {
    if (array === undefined || array === null) continue;
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), end);
    end += array.byteLength;
  }
  return end;
}

function readAnswer(cursor: Cursor, pair: number): ReferenceAnswer {
  const what = `an answer of pair ${pair}`;
  const view = viewOf(cursor.take(ANSWER_BYTES, what));
  const sumLogps = view.getFloat64(0, true);
  if (!Number.isFinite(sumLogps)) throw new ReferenceFileError(`the log-prob of ${what} is ${sumLogps}`);
  const [hiddenCount = ABSENT, featureCount = ABSENT, width = 0, indexBytes = 0] = [0, 1, 2, 3].map((place) =>
    view.getUint32(Float64Array.BYTES_PER_ELEMENT + NUMBER_BYTES * place, true),
  );
  const hidden = hiddenCount === ABSENT ? undefined : cursor.floats(hiddenCount, what);
  const features =
    featureCount === ABSENT ? undefined : readFeatures(cursor, { featureCount, width, indexBytes }, what);
  return {
    sumLogps,
    ...(hidden === undefined ? {} : { hidden }),
    ...(features === undefined ? {} : { features }),
  };
}

function readFeatures(
  cursor: Cursor,
  { featureCount, width, indexBytes }: Readonly<Record<"featureCount" | "width" | "indexBytes", number>>,
  what: string,
): SparseFeatures {
  // All features are there, in order: they need no numbers.
  if (indexBytes === 0 && featureCount === width) {
    return { width, index: null, values: cursor.floats(featureCount, what) };
  }
  if (indexBytes !== SHORT_INDEX_BYTES && indexBytes !== NUMBER_BYTES) {
    throw new ReferenceFileError(`a feature of ${what} is numbered in ${indexBytes} bytes`);
  }
  const taken = cursor.copy(featureCount * indexBytes, what);
  const index = indexBytes === SHORT_INDEX_BYTES ? new Uint16Array(taken) : new Uint32Array(taken);
  const outside = index.find((feature) => feature >= width);
  if (outside !== undefined) {
    throw new ReferenceFileError(`${what} names feature ${outside} of ${width}`);
  }
  return { width, index, values: cursor.floats(featureCount, what) };
}

/** Takes one piece after another, and never more than there is. */
class Cursor {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  take(count: number, what: string): Uint8Array {
    if (count > this.left) {
      throw new ReferenceFileError(`${what} would take ${count} bytes where ${this.left} are left`);
    }
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Numbers keep memory of their own, so that they do not keep the whole file. */
  copy(count: number, what: string): ArrayBuffer {
    return new Uint8Array(this.take(count, what)).buffer;
  }

  floats(count: number, what: string): Float32Array {
    return new Float32Array(this.copy(NUMBER_BYTES * count, what));
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
