/** SHA-256 and SHA-1 of files that are too large to be in memory at once, which WebCrypto cannot take piece by piece. */

/** How the Hub names the content of a file: large ones by SHA-256, those in Git by Git's SHA-1. */
export type HashName = "sha256" | "sha1";

/** A hash that is fed piece by piece. */
export interface StreamingHash {
  readonly update: (bytes: Uint8Array) => void;
  /** Hexadecimal, of everything so far; nothing may be added afterwards. */
  readonly digest: () => string;
}

const BLOCK_BYTES = 64;
/** Where the length in bits begins in the last block. */
const LENGTH_AT = 56;
const TWO_TO_32 = 2 ** 32;

/** First 32 bits of the fractional part. */
function fractionBits(value: number): number {
  return Math.floor((value - Math.floor(value)) * TWO_TO_32) | 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate += 1)
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  return found;
}

/** Cube roots of the first 64 primes; FIPS 180-4, section 4.2.2. */
const sha256Constants = Int32Array.from(primes(64), (prime) => fractionBits(Math.cbrt(prime)));

/** A state wraps at 32 bits by being stored. */
interface Algorithm {
  /** State before the first block; FIPS 180-4, section 5.3. */
  readonly start: () => Int32Array;
  /** Takes a block of 16 words, which lie at the beginning of `words`, into the state. */
  readonly compress: (state: Int32Array, words: Int32Array) => void;
}

/** FIPS 180-4, section 6.2. */
const sha256: Algorithm = {
  start: () => Int32Array.from(primes(8), (prime) => fractionBits(Math.sqrt(prime))),
  compress: (state, words) => {
    for (let t = 16; t < 64; t += 1) {
      const early = words[t - 15]!;
      const late = words[t - 2]!;
      const first = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
      const second = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
      words[t] = (words[t - 16]! + first + words[t - 7]! + second) | 0;
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    let f = state[5]!;
    let g = state[6]!;
    let h = state[7]!;
    for (let t = 0; t < 64; t += 1) {
      const sumE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const choice = (e & f) ^ (~e & g);
      const first = (h + sumE + choice + sha256Constants[t]! + words[t]!) | 0;
      const sumA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const majority = (a & b) ^ (a & c) ^ (b & c);
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + sumA + majority) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
  },
};

/** FIPS 180-4, section 6.1. */
const sha1: Algorithm = {
  start: () => Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0),
  compress: (state, words) => {
    for (let t = 16; t < 80; t += 1) {
      const word = words[t - 3]! ^ words[t - 8]! ^ words[t - 14]! ^ words[t - 16]!;
      words[t] = (word << 1) | (word >>> 31);
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    for (let t = 0; t < 80; t += 1) {
      const mixed = mixedSha1(t, b, c, d);
      const next = (((a << 5) | (a >>> 27)) + mixed + e + words[t]!) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
  },
};

/** The function of a round with its constant. */
function mixedSha1(t: number, b: number, c: number, d: number): number {
  if (t < 20) return ((b & c) ^ (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}

/** A hash of nothing yet. Source: FIPS 180-4. */
export function createStreamingHash(name: HashName): StreamingHash {
  const { start, compress } = name === "sha256" ? sha256 : sha1;
  const state = start();
  const words = new Int32Array(80);
  const block = new Uint8Array(BLOCK_BYTES);
  let filled = 0;
  let length = 0;
  const take = (bytes: Uint8Array, at: number) => {
    for (let word = 0, place = at; word < 16; word += 1, place += 4)
      words[word] =
        (bytes[place]! << 24) | (bytes[place + 1]! << 16) | (bytes[place + 2]! << 8) | bytes[place + 3]!;
    compress(state, words);
  };
  const update = (bytes: Uint8Array) => {
    length += bytes.length;
    let at = 0;
    if (filled > 0) {
      at = Math.min(BLOCK_BYTES - filled, bytes.length);
      block.set(bytes.subarray(0, at), filled);
      filled += at;
      if (filled < BLOCK_BYTES) return;
      take(block, 0);
      filled = 0;
    }
    for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) take(bytes, at);
    block.set(bytes.subarray(at));
    filled = bytes.length - at;
  };
  return {
    update,
    digest: () => {
      const bits = length * 8;
      const padding = new Uint8Array(filled < LENGTH_AT ? BLOCK_BYTES - filled : 2 * BLOCK_BYTES - filled);
      padding[0] = 0x80;
      const view = new DataView(padding.buffer);
      view.setUint32(padding.length - 8, Math.floor(bits / TWO_TO_32));
      view.setUint32(padding.length - 4, bits % TWO_TO_32);
      update(padding);
      return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
    },
  };
}
