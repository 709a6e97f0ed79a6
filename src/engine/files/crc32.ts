/** The polynomial of IEEE 802.3, its lowest power in the highest bit. */
const POLYNOMIAL = 0xedb88320;
const VALUES_OF_BYTE = 256;

/** The remainder that each byte leaves behind. */
const remainders = Uint32Array.from({ length: VALUES_OF_BYTE }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/**
 * The checksum that zip archives keep of every member, as an unsigned 32-bit number; `before` is that of the bytes that
 * come before these.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let state = (before ^ 0xffffffff) >>> 0;
  // Walking an iterator takes several times as long.
  for (let at = 0; at < bytes.length; at++)
    state = (state >>> 8) ^ remainders[(state ^ bytes[at]!) & (VALUES_OF_BYTE - 1)]!;
  return (state ^ 0xffffffff) >>> 0;
}
