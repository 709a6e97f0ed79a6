/** Short names for contents, so that remembered numbers are never used for a model or a pair they do not belong to. */

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
/** A second, unrelated start makes the pair of 32-bit hashes a 64-bit one. */
const OTHER_BASIS = 0x9747b28c;
const HEX_DIGITS = 8;

/** 64 bits over the bytes (two FNV-1a hashes) as 16 hexadecimal digits; tells versions apart, guards against no one. */
export function fingerprint(bytes: Uint8Array): string {
  let first = OFFSET_BASIS;
  let second = OTHER_BASIS;
  for (const byte of bytes) {
    first = Math.imul(first ^ byte, PRIME);
    second = Math.imul(second ^ byte, PRIME) ^ (second >>> 15);
  }
  return [first, second].map((hash) => (hash >>> 0).toString(16).padStart(HEX_DIGITS, "0")).join("");
}
