/** Damaged files for tests of readers: what a bad disk, a cut transfer or somebody of ill will makes of a good one. */
import { createRandom, type Random } from "../data/random.ts";

/** Numbers that readers go wrong at, as 64-bit words. */
const edges = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Change = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

function below(random: Random, count: number): number {
  return Math.min(count - 1, Math.floor(random.uniform(0, count)));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Two places of a file in order. */
function range(bytes: Uint8Array, random: Random): [number, number] {
  const places = [below(random, bytes.length + 1), below(random, bytes.length + 1)].sort((a, b) => a - b);
  return [places[0] ?? 0, Math.min(places[1] ?? 0, (places[0] ?? 0) + 64)];
}

const changes: readonly Change[] = [
  (bytes, random) => {
    const changed = bytes.slice();
    changed[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return changed;
  },
  (bytes, random) => {
    const changed = bytes.slice();
    changed[below(random, bytes.length)] = below(random, 256);
    return changed;
  },
  (bytes, random) => {
    const changed = bytes.slice();
    const width = [1, 2, 4, 8][below(random, 4)] ?? 1;
    let value = edges[below(random, edges.length)] ?? 0n;
    const at = below(random, bytes.length);
    for (let place = at; place < Math.min(at + width, bytes.length); place++) {
      changed[place] = Number(value & 0xffn);
      value >>= 8n;
    }
    return changed;
  },
  (bytes, random) => bytes.slice(0, below(random, bytes.length)),
  (bytes, random) => joined(bytes, bytes.slice(0, below(random, 100))),
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return joined(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return joined(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, random, others) => {
    const other = others[below(random, others.length)] ?? bytes;
    const at = below(random, Math.min(bytes.length, other.length) + 1);
    return joined(bytes.subarray(0, at), other.subarray(at));
  },
  // A digit of a header in JSON or Python becomes another, or many.
  (bytes, random) => {
    const digits = [...bytes.keys()].filter((place) => bytes[place]! >= 0x30 && bytes[place]! <= 0x39);
    const at = digits[below(random, digits.length || 1)];
    if (at === undefined) return bytes.slice(1);
    const number = ["9", "0", "-1", "1e9", "99999999999", "0.5"][below(random, 6)] ?? "9";
    return joined(bytes.subarray(0, at), new TextEncoder().encode(number), bytes.subarray(at + 1));
  },
  (bytes, random) => {
    const changed = bytes.slice();
    const signs = '{}[]":,\\ntfN';
    changed[below(random, bytes.length)] = signs.charCodeAt(below(random, signs.length));
    return changed;
  },
];

/** So many damaged files, made of good ones by one to three changes each; the same for the same seed. */
export function* mutants(
  good: readonly Uint8Array[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Generator<Uint8Array<ArrayBuffer>> {
  const random = createRandom(seed);
  for (let made = 0; made < count; made++) {
    let bytes = good[below(random, good.length)] ?? new Uint8Array();
    const times = 1 + below(random, 3);
    for (let time = 0; time < times && bytes.length > 0; time++) {
      bytes = changes[below(random, changes.length)]!(bytes, random, good);
    }
    yield Uint8Array.from(bytes);
  }
}

const watched = [
  "ArrayBuffer",
  "Uint8Array",
  "Uint16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
] as const;

/** Runs work and returns what it gives with the largest number of bytes that it asked for at once by a length. */
export async function watchAllocations<Result>(
  work: () => Result | Promise<Result>,
): Promise<{ readonly result: Result; readonly largest: number }> {
  const scope = globalThis as unknown as Record<
    string,
    { new (...args: unknown[]): object; BYTES_PER_ELEMENT?: number }
  >;
  const originals = watched.map((name) => [name, scope[name]!] as const);
  let largest = 0;
  for (const [name, original] of originals) {
    scope[name] = new Proxy(original, {
      construct(target, args: unknown[], self) {
        const [length] = args;
        if (typeof length === "number") largest = Math.max(largest, length * (target.BYTES_PER_ELEMENT ?? 1));
        return Reflect.construct(target, args, self === scope[name] ? target : self) as object;
      },
    });
  }
  try {
    return { result: await work(), largest };
  } finally {
    for (const [name, original] of originals) scope[name] = original;
  }
}
