import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../engine/data/random.ts";
import { createStreamingHash, type HashName } from "./streamingHash.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

function hashOf(name: HashName, ...pieces: readonly Uint8Array[]): string {
  const hash = createStreamingHash(name);
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** Of NIST's "Examples with Intermediate Values" for FIPS 180-4, and the million a's of its long-message test. */
const longer = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const vectors: readonly [HashName, string, Uint8Array][] = [
  ["sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ascii("")],
  ["sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", ascii("abc")],
  ["sha256", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", ascii(longer)],
  ["sha256", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", ascii("a".repeat(1e6))],
  ["sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", ascii("")],
  ["sha1", "a9993e364706816aba3e25717850c26c9cd0d89d", ascii("abc")],
  ["sha1", "84983e441c3bd26ebaae4aa1f95129e5e54670f1", ascii(longer)],
  ["sha1", "34aa973cd4c4daa4f61eeb2bdbad27316534016f", ascii("a".repeat(1e6))],
];

describe("a hash that is fed piece by piece", () => {
  it.each(vectors)("%s gives NIST's %s", (name, expected, message) => {
    expect(hashOf(name, message)).toBe(expected);
  });

  it.each(["sha256", "sha1"] as const)(
    "%s is Node's for every length about a block, however it is cut",
    (name) => {
      const random = createRandom(3);
      for (let length = 0; length < 200; length += 1) {
        const bytes = Uint8Array.from({ length }, () => Math.floor(random.float() * 256));
        const first = Math.floor(random.float() * (length + 1));
        const second = first + Math.floor(random.float() * (length - first + 1));
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        expect(hashOf(name, ...pieces), `${length} bytes`).toBe(createHash(name).update(bytes).digest("hex"));
      }
    },
  );
});
