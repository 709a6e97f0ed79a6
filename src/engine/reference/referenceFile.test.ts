/** The file must come back exactly, or say what is wrong with it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ReferenceAnswer } from "./referenceCache.ts";
import { fingerprint } from "./fingerprint.ts";
import { decodeReference, encodeReference, ReferenceFileError, type ReferenceFile } from "./referenceFile.ts";
import { whyStale, type ReferenceIdentity } from "./referenceIdentity.ts";

const identity: ReferenceIdentity = {
  weights: "w",
  tokenizer: "t",
  template: "c",
  data: "d",
  adapter: "",
  features: "sae at layer 2",
  numerics: "cpu f32",
};

const whole: ReferenceFile = {
  identity,
  computedMs: 12.5,
  records: new Map([
    ["0123456789abcdef", { chosen: { sumLogps: -Math.PI }, rejected: { sumLogps: -0 } }],
    [
      "fedcba9876543210",
      {
        chosen: { sumLogps: -1 / 3, hidden: Float32Array.of(1, -0, 3.5) },
        rejected: {
          sumLogps: -2,
          hidden: new Float32Array(),
          features: { width: 9, index: Uint16Array.of(1, 8), values: Float32Array.of(0.5, 2) },
        },
      },
    ],
    [
      "00000000ffffffff",
      {
        chosen: { sumLogps: -9 },
        rejected: {
          sumLogps: -8,
          features: { width: 70_000, index: Uint32Array.of(69_999), values: Float32Array.of(1e-30) },
        },
      },
    ],
  ]),
};

function atOnce<Result>(turns: Generator<void, Result, void>): Result {
  for (;;) {
    const { done, value } = turns.next();
    if (done === true) return value;
  }
}

const encode = (file: ReferenceFile) => atOnce(encodeReference(file));
const decode = (bytes: Uint8Array) => atOnce(decodeReference(bytes));

/** The message a file is refused with; null when it is read. */
function refusalOf(bytes: Uint8Array): string | null {
  try {
    decode(bytes);
    return null;
  } catch (error) {
    if (!(error instanceof ReferenceFileError)) throw error;
    return error.message;
  }
}

/** The same bytes with a fingerprint that fits, so that what lies behind it is looked at. */
function resealed(bytes: Uint8Array): Uint8Array {
  const sealed = bytes.slice();
  new DataView(sealed.buffer).setBigUint64(16, BigInt(sealed.length), true);
  sealed.set(new TextEncoder().encode(fingerprint(sealed.subarray(0, -16))), sealed.length - 16);
  return sealed;
}

const answer: fc.Arbitrary<ReferenceAnswer> = fc
  .record({
    sumLogps: fc.double({ noNaN: true, noDefaultInfinity: true }),
    hidden: fc.option(fc.float32Array({ maxLength: 9 }), { nil: undefined }),
    features: fc.option(
      fc.array(fc.tuple(fc.nat(65_535), fc.float({ noNaN: true })), { maxLength: 4 }).map((some) => ({
        width: 65_536,
        index: Uint16Array.from(some, ([index]) => index),
        values: Float32Array.from(some, ([, value]) => value),
      })),
      { nil: undefined },
    ),
  })
  .map(({ sumLogps, hidden, features }) => ({
    sumLogps,
    ...(hidden === undefined ? {} : { hidden }),
    ...(features === undefined ? {} : { features }),
  }));

const key = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value.toString(16).padStart(16, "0"));

describe("a file of reference numbers", () => {
  it("comes back exactly, with hidden states and features of both widths", () => {
    expect(decode(encode(whole))).toStrictEqual(whole);
    const inOtherMemory = new Uint8Array([1, 2, 3, ...encode(whole)]).subarray(3);
    expect(decode(inOtherMemory)).toStrictEqual(whole);
  });

  it("comes back exactly whatever it holds", () => {
    const files = fc.record({
      identity: fc.record({
        weights: fc.string(),
        tokenizer: fc.string(),
        template: fc.string(),
        data: fc.string(),
        adapter: fc.string(),
        features: fc.string(),
        numerics: fc.string({ unit: "grapheme" }),
      }),
      computedMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      records: fc
        .array(fc.tuple(key, fc.record({ chosen: answer, rejected: answer })), { maxLength: 5 })
        .map((some) => new Map(some)),
    });
    fc.assert(
      fc.property(files, (file) => {
        const { identity: found, computedMs, records } = decode(encode(file));
        expect(found).toEqual(file.identity);
        expect(computedMs).toBe(file.computedMs + 0);
        expect(records).toEqual(file.records);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("tells every change of its bytes", () => {
    const bytes = encode(whole);
    const place = fc.nat(bytes.length - 1);
    const mutation = fc.oneof(
      fc.record({ kind: fc.constant("truncate" as const), at: place }),
      fc.record({ kind: fc.constant("flip" as const), at: place, bit: fc.nat(7) }),
      fc.record({ kind: fc.constant("set" as const), at: place, value: fc.nat(255) }),
      fc.record({ kind: fc.constant("fill" as const), at: place, count: fc.integer({ min: 1, max: 64 }) }),
      fc.record({ kind: fc.constant("extend" as const), more: fc.uint8Array({ maxLength: 40 }) }),
      fc.record({ kind: fc.constant("swap" as const), at: place, other: place }),
    );
    let refused = 0;
    fc.assert(
      fc.property(mutation, (change) => {
        const changed = mutate(bytes, change);
        const isSame = changed.length === bytes.length && changed.every((byte, at) => byte === bytes[at]);
        expect(refusalOf(changed) ?? "read").toMatch(
          isSame ? /^read$/ : /^The kept reference values cannot be used: .*\. They are computed again\.$/,
        );
        refused += Number(!isSame);
      }),
      { seed: 2, numRuns: 4000 },
    );
    expect(refused).toBeGreaterThan(2500);
  });

  it("never takes more memory than there is, and never fails otherwise, even with a fingerprint that fits", () => {
    const bytes = encode(whole);
    fc.assert(
      fc.property(fc.nat(bytes.length - 17), fc.nat(255), fc.boolean(), (at, value, isCut) => {
        const changed = isCut ? bytes.slice(0, Math.max(40, at)) : bytes.slice();
        if (!isCut) changed[at] = value;
        // Reads something, or refuses with its own error; anything else fails the test.
        refusalOf(resealed(changed));
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  it("says what is wrong with the number", () => {
    const bytes = encode(whole);
    const changed = (change: (copy: Uint8Array, view: DataView) => void, isSealed = false) => {
      const copy = bytes.slice();
      change(copy, new DataView(copy.buffer));
      return refusalOf(isSealed ? resealed(copy) : copy);
    };
    expect(refusalOf(new Uint8Array(12))).toContain("cut off after 12 bytes");
    expect(refusalOf(bytes.subarray(0, -5))).toContain(
      `${bytes.length - 5} bytes instead of ${bytes.length}`,
    );
    expect(changed((copy) => copy.fill(65, 0, 8))).toContain('begins with "AAAAAAAA"');
    expect(changed((_, view) => view.setUint32(8, 7, true))).toContain(
      "version 7, this studio reads version 1",
    );
    expect(changed((copy) => copy.fill(0, 60, 64))).toContain("was changed after it was written");
    expect(changed((_, view) => view.setUint32(12, 1e9, true), true)).toContain(
      "would take 1000000000 bytes",
    );
    expect(refusalOf(resealed(bytes.subarray(0, 40)))).toContain("the header would take");
    const header = new TextDecoder().decode(bytes);
    const pairs = header.indexOf('"pairs":3') + '"pairs":'.length;
    expect(changed((copy) => copy.set([0x32], pairs), true)).toContain("follow the last of 2 pairs");
    expect(changed((copy) => copy.set([0x34], pairs), true)).toContain("where 0 are left");
    const first = header.indexOf("0123456789abcdef");
    expect(changed((copy) => copy.set(bytes.subarray(first, first + 16), first + 64), true)).toContain(
      "twice",
    );
    expect(changed((copy) => copy.set([0x20], first), true)).toContain("the key of pair 0");
    expect(changed((_, view) => view.setFloat64(first + 16, NaN, true), true)).toContain("is NaN");
  });

  it("refuses a feature that the dictionary does not have", () => {
    const features = { width: 8, index: Uint16Array.of(3, 8), values: Float32Array.of(1, 2) };
    const records = new Map([
      ["0000000000000001", { chosen: { sumLogps: -1, features }, rejected: { sumLogps: -2 } }],
    ]);
    expect(refusalOf(encode({ ...whole, records }))).toContain("names feature 8 of 8");
  });

  it("leaves out what went wrong", () => {
    const good = { chosen: { sumLogps: -1 }, rejected: { sumLogps: -2 } };
    const bad = { chosen: { sumLogps: NaN }, rejected: { sumLogps: -2 } };
    const records = new Map([
      ["0000000000000000", bad],
      ["0000000000000001", good],
    ]);
    const { records: read } = decode(encode({ ...whole, records }));
    expect(read).toEqual(new Map([["0000000000000001", good]]));
  });
});

type Mutation =
  | { readonly kind: "truncate"; readonly at: number }
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "set"; readonly at: number; readonly value: number }
  | { readonly kind: "fill"; readonly at: number; readonly count: number }
  | { readonly kind: "extend"; readonly more: Uint8Array }
  | { readonly kind: "swap"; readonly at: number; readonly other: number };

function mutate(bytes: Uint8Array, change: Mutation): Uint8Array {
  if (change.kind === "extend") return Uint8Array.from([...bytes, ...change.more]);
  const copy = bytes.slice(0, change.kind === "truncate" ? change.at : undefined);
  const { at } = change;
  const before = copy[at] ?? 0;
  if (change.kind === "flip") copy[at] = before ^ (1 << change.bit);
  if (change.kind === "set") copy[at] = change.value;
  if (change.kind === "fill") copy.fill(0, at, at + change.count);
  if (change.kind === "swap") {
    copy[at] = copy[change.other] ?? 0;
    copy[change.other] = before;
  }
  return copy;
}

describe("whyStale", () => {
  it("names the first part that differs, in plain words", () => {
    expect(whyStale(identity, { ...identity })).toBeNull();
    const words = {
      weights: "the model",
      tokenizer: "the tokenizer",
      template: "the chat template",
      data: "the data or how its pairs are read",
      adapter: "the starting adapter",
      features: "the sparse autoencoder or its layer",
      numerics: "what computes",
    };
    const parts = Object.keys(words) as (keyof ReferenceIdentity)[];
    for (const [index, part] of parts.entries()) {
      const later = Object.fromEntries(parts.slice(index).map((name) => [name, "other"]));
      expect(whyStale(identity, { ...identity, ...later })).toBe(words[part]);
    }
  });
});
