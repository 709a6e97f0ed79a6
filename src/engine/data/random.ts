/** A reproducible stream of pseudo-random numbers; equal seeds give equal streams on every machine. */
export interface Random {
  /** Uniform in [0, 1), with 32 random bits. */
  readonly float: () => number;
  /** Uniform in [low, high). */
  readonly uniform: (low: number, high: number) => number;
  /** A whole number from 0 to `below` − 1. Throws RangeError unless `below` is from 1 to 2³². */
  readonly integer: (below: number) => number;
  /** Standard normal. */
  readonly gaussian: () => number;
}

const TWO_TO_32 = 2 ** 32;

/** Odd and close to 2³²/φ, so that successive counter values lie far apart. */
const COUNTER_STEP = 0x9e3779b9;

/** A bijection of 32-bit words in which every input bit moves about half of the output bits (MurmurHash3's last step). */
function scramble(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * A stream that scrambles a counter (the SplitMix scheme in 32 bits; period 2³²). Different values of `stream` give
 * unrelated streams of one seed.
 */
export function createRandom(seed: number, stream = 0): Random {
  let counter = scramble(scramble(seed | 0) ^ scramble((stream | 0) + COUNTER_STEP));
  const word = () => {
    counter = (counter + COUNTER_STEP) | 0;
    return scramble(counter);
  };
  const float = () => word() / TWO_TO_32;
  return {
    float,
    uniform: (low, high) => low + (high - low) * float(),
    integer: (below) => {
      if (!Number.isInteger(below) || below < 1 || below > TWO_TO_32)
        throw new RangeError(`integer(${below}): the bound must be a whole number from 1 to 2^32.`);
      // Words past the last whole multiple of `below` would favour small results.
      const limit = TWO_TO_32 - (TWO_TO_32 % below);
      let drawn = word();
      while (drawn >= limit) drawn = word();
      return drawn % below;
    },
    // Box and Muller's transform; 1 − float() is never 0.
    gaussian: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
  };
}

/** The numbers 0 … count − 1 in random order (Fisher and Yates). */
export function permutation(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const moved = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = moved;
  }
  return order;
}
