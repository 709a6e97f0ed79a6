/** Short names for contents, so that remembered numbers are never used for a model or a pair they do not belong to. */

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
/** A second, unrelated start makes the pair of 32-bit hashes a 64-bit one. */
const OTHER_BASIS = 0x9747b28c;
const HEX_DIGITS = 8;
/** Bytes between two turns of `fingerprintInTurns`: a few milliseconds of work. */
const TURN_BYTES = 1 << 20;

/** 64 bits over the bytes (two FNV-1a hashes) as 16 hexadecimal digits; tells versions apart, guards against no one. */
export function fingerprint(bytes: Uint8Array): string {
  return asText(over(bytes, [OFFSET_BASIS, OTHER_BASIS]));
}

/** A fingerprint in the making. */
export interface Fingerprint {
  /** Takes the bytes that follow those taken so far. */
  readonly add: (bytes: Uint8Array) => void;
  readonly text: () => string;
}

/** Starts a fingerprint of bytes that come piece by piece. */
export function startFingerprint(): Fingerprint {
  let hashes: Hashes = [OFFSET_BASIS, OTHER_BASIS];
  return {
    add: (bytes) => {
      hashes = over(bytes, hashes);
    },
    text: () => asText(hashes),
  };
}

/** The fingerprint of parts laid one after another; yields every few milliseconds, because weights can be gigabytes. */
export function* fingerprintInTurns(parts: Iterable<Uint8Array>): Generator<void, string, void> {
  let hashes: Hashes = [OFFSET_BASIS, OTHER_BASIS];
  for (const part of parts) {
    for (let start = 0; start < part.length; start += TURN_BYTES) {
      hashes = over(part.subarray(start, start + TURN_BYTES), hashes);
      yield;
    }
  }
  return asText(hashes);
}

/** The fingerprint of a text in UTF-8. */
export function textFingerprint(text: string): string {
  return fingerprint(new TextEncoder().encode(text));
}

type Hashes = readonly [number, number];

function over(bytes: Uint8Array, hashes: Hashes): Hashes {
  let [first, second] = hashes;
  // Walking an iterator takes several times as long.
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    first = Math.imul(first ^ byte, PRIME);
    second = Math.imul(second ^ byte, PRIME) ^ (second >>> 15);
  }
  return [first, second];
}

function asText(hashes: Hashes): string {
  return hashes.map((hash) => (hash >>> 0).toString(16).padStart(HEX_DIGITS, "0")).join("");
}
