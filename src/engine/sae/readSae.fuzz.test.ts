import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createRandom } from "../data/random.ts";
import { FileFormatError } from "../files/fileFormatError.ts";
import { readNpy } from "../files/npy.ts";
import { halfToFloat } from "../kernels/weightLayout/half.ts";
import { npyOf, writeNpy, writeNpz } from "../files/npz.testing.ts";
import { readSae } from "./readSae.ts";
import type { SaeArrays, SaeFile } from "./layouts/layout.ts";
import {
  jsonFile,
  published,
  publishedInSmall,
  saeLensConfig,
  saeLensFiles,
  weightsFile,
} from "./saeFiles.testing.ts";

/** 11,000 damaged inputs in all. */
const CASES = { stored: 3000, deflated: 500, npy: 3000, saeLens: 3000, gemmaScope2: 1500 } as const;

// The table of all binary16 values is made once, whatever file needs it first.
halfToFloat(0);

const random = createRandom(20_241_107);
const below = random.integer;
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)]!;
const NUMBERS = [0, 1, 2, 255, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const NASTY: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e9,
  1e300,
  2 ** 53,
  "",
  "F32",
  "F16",
  "F64",
  "none",
  "6.0.0",
  "5.9.9",
  "batchtopk",
  "blocks.4.hook_resid_post",
  "model.layers.9.output",
  [],
  [3],
  [5],
  [3, 5],
  [5, 3],
  [15],
  [0, 0],
  [0, 60],
  [1e15, 1e15],
  [-1, -1],
  {},
  { sae_lens_version: "6.2.0" },
];

/** Bytes with a few bits turned, a number written over, a piece cut out, doubled or lost at the end. */
function damaged(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  const at = below(copy.length);
  const length = below(40);
  switch (below(6)) {
    case 0:
      return copy.slice(0, at);
    case 1:
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + length)]);
    case 2:
      return Uint8Array.from([...copy.subarray(0, at + length), ...copy.subarray(at)]);
    case 3: {
      const place = below(Math.max(1, copy.length - 4));
      if (copy.length >= 4)
        new DataView(copy.buffer).setUint32(place, oneOf([...NUMBERS, copy.length, at]), true);
      return copy;
    }
    default:
      for (let flips = 1 + below(3); flips > 0; flips--) copy[below(copy.length)]! ^= 1 << below(8);
      return copy;
  }
}

/** An object with one of its fields, or of the objects in it, taken away or given another value. */
function changed(fields: object): Record<string, unknown> {
  const copy = structuredClone(fields) as Record<string, unknown>;
  const key = oneOf(Object.keys(copy));
  const inner = copy[key];
  if (typeof inner === "object" && inner !== null && !Array.isArray(inner) && below(4) > 0)
    copy[key] = changed(inner);
  else if (below(4) === 0) Reflect.deleteProperty(copy, key);
  else copy[key] = oneOf(NASTY);
  return copy;
}

/** A safetensors file with one field of its header changed. */
function withChangedHeader(bytes: Uint8Array): Uint8Array {
  const { header, data } = partsOf(bytes);
  const text = new TextEncoder().encode(JSON.stringify(changed(header)));
  const written = new Uint8Array(8 + text.length + data.length);
  new DataView(written.buffer).setBigUint64(0, BigInt(text.length), true);
  written.set(text, 8);
  written.set(data, 8 + text.length);
  return written;
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

function partsOf(bytes: Uint8Array): { header: Header; data: Uint8Array } {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Header;
  return { header, data: bytes.subarray(8 + length) };
}

/** The naive reading of one array in 32 bits; null where it has another type. */
function naive(bytes: Uint8Array, name: string): Float32Array | null {
  const { header, data } = partsOf(bytes);
  const entry = header[name];
  if (entry?.dtype !== "F32") return null;
  return new Float32Array(data.slice(...entry.data_offsets).buffer);
}

const isSame = (a: ArrayLike<number> | null, b: ArrayLike<number> | null) =>
  a === null || b === null
    ? a === b
    : a.length === b.length && Array.from(a).every((x, i) => Object.is(x, b[i]));

/** The arrays, or null for a refusal; anything else that is thrown fails the test. */
async function outcome(files: readonly SaeFile[]): Promise<SaeArrays | null> {
  isReading = true;
  try {
    return await readSae(files, { needsDecoder: true });
  } catch (error) {
    if (error instanceof FileFormatError) return null;
    throw error;
  } finally {
    isReading = false;
  }
}

/** Whether sizes, and the matrices where they are in 32 bits, are what the file says. */
function expectNaiveArrays(
  arrays: SaeArrays,
  bytes: Uint8Array,
  [enc, dec]: readonly [string, string],
): void {
  const { inputSize, width, encoder, bias, threshold, decoder, decoderBias } = arrays;
  expect([encoder.length, decoder?.length]).toEqual([width * inputSize, width * inputSize]);
  expect([bias.length, threshold.length, decoderBias?.length]).toEqual([width, width, inputSize]);
  const flat = naive(bytes, enc);
  const turned = encoder.map((_, at) => encoder[(at % width) * inputSize + Math.floor(at / width)]!);
  expect(isSame(turned, flat ?? turned)).toBe(true);
  expect(isSame(decoder, naive(bytes, dec) ?? decoder)).toBe(true);
}

/** The largest array that was made by its size while files were being read. */
let largestBytes = 0;
let isReading = false;

describe("damaged files are refused by name or read rightly, with nothing allocated that they do not hold", () => {
  beforeEach(() => {
    largestBytes = 0;
    for (const kind of ["Float32Array", "Float64Array", "Uint8Array"] as const) {
      const watched = new Proxy(globalThis[kind], {
        construct(target, args: unknown[], newTarget) {
          const made = Reflect.construct(target, args, newTarget) as Float32Array;
          if (isReading && typeof args[0] === "number")
            largestBytes = Math.max(largestBytes, made.byteLength);
          return made;
        },
      });
      vi.stubGlobal(kind, watched);
    }
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each([
    { kind: "stored", cases: CASES.stored, isDeflated: false },
    { kind: "deflated", cases: CASES.deflated, isDeflated: true },
  ])("in $cases $kind archives", { timeout: 30_000 }, async ({ cases, isDeflated }) => {
    const name = "layer_2/width_5/average_l0_2/params.npz";
    const bytes = await writeNpz(published, isDeflated);
    const whole = (await outcome([{ name, bytes }]))!;
    let read = 0;
    for (let i = 0; i < cases; i++) {
      const arrays = await outcome([{ name, bytes: damaged(bytes) }]);
      if (arrays === null) continue;
      read++;
      for (const key of ["encoder", "bias", "threshold", "decoder", "decoderBias"] as const)
        expect(isSame(arrays[key], whole[key])).toBe(true);
    }
    expect(read).toBeLessThan(cases / 2);
    expect(largestBytes).toBeLessThanOrEqual(bytes.length);
  });

  it(`in ${CASES.npy} arrays`, { timeout: 30_000 }, () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i - 5);
    const original = writeNpy({ shape: [3, 4], values });
    const parts = {
      descr: ["'<f4'", "'<f2'", "'<f8'", "'>f4'", "'|O'", "''", "[('a', '<f4')]", "None"],
      order: ["False", "True", "None", "0", "'False'"],
      shape: [
        "(3, 4)",
        "(4, 3)",
        "(12,)",
        "(24,)",
        "(6,)",
        "()",
        "(0,)",
        "(1, 12)",
        "(99999999999, 9)",
        "(-3, -4)",
        "(3",
        "3",
        "(3.0, 4)",
      ],
    };
    let read = 0;
    for (let i = 0; i < CASES.npy; i++) {
      const [descr, order, shape] = [oneOf(parts.descr), oneOf(parts.order), oneOf(parts.shape)];
      const header = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
      const bytes =
        below(3) > 0 ? npyOf(header, new Uint8Array(values.buffer), 1 + below(3)) : damaged(original);
      try {
        isReading = true;
        const { shape: sizes, values: got } = readNpy(bytes, "a.npy");
        isReading = false;
        read++;
        expect(got.length).toBe(sizes.reduce((product, size) => product * size, 1));
        // In 32 bits and by rows, the last bytes of the file are the values.
        const text = new TextDecoder("latin1").decode(bytes);
        if (!text.includes("'<f4'") || (text.includes("True") && sizes.length > 1)) continue;
        expect(isSame(got, new Float32Array(bytes.slice(bytes.length - 4 * got.length).buffer))).toBe(true);
      } catch (error) {
        if (!(error instanceof FileFormatError)) throw error;
      } finally {
        isReading = false;
      }
    }
    expect(read).toBeGreaterThan(CASES.npy / 50);
    expect(largestBytes).toBeLessThanOrEqual(2 * original.length);
  });

  it(`in ${CASES.saeLens} files of SAELens`, { timeout: 30_000 }, async () => {
    const weights = saeLensFiles()[1]!.bytes as Uint8Array;
    const config = jsonFile("cfg.json", saeLensConfig).bytes as Uint8Array;
    let read = 0;
    for (let i = 0; i < CASES.saeLens; i++) {
      const bytes = [() => weights, () => damaged(weights), () => withChangedHeader(weights)][below(3)]!();
      const text = [
        () => config,
        () => damaged(config),
        () => jsonFile("", changed(saeLensConfig)).bytes as Uint8Array,
      ][below(3)]!();
      const files = [
        { name: "cfg.json", bytes: text },
        { name: "sae_weights.safetensors", bytes },
      ];
      const arrays = await outcome(files);
      if (arrays === null) continue;
      read++;
      expectNaiveArrays(arrays, bytes, ["W_enc", "W_dec"]);
      const written = JSON.parse(new TextDecoder().decode(text)) as { apply_b_dec_to_input?: boolean | null };
      // What is not said is true.
      const isShifted = written.apply_b_dec_to_input ?? true;
      const bias = isShifted ? null : naive(bytes, "b_enc");
      expect(isSame(arrays.bias, bias ?? arrays.bias)).toBe(true);
      expect(arrays.hook).toContain(String(arrays.layer));
    }
    expect(read).toBeGreaterThan(CASES.saeLens / 20);
    expect(largestBytes).toBeLessThanOrEqual(weights.length);
  });

  it(`in ${CASES.gemmaScope2} files of Gemma Scope 2`, { timeout: 30_000 }, async () => {
    const weights = weightsFile("params.safetensors", publishedInSmall).bytes as Uint8Array;
    const config = {
      hf_hook_point_in: "model.layers.2.output",
      architecture: "jump_relu",
      width: 5,
      model_name: "tiny",
    };
    let read = 0;
    for (let i = 0; i < CASES.gemmaScope2; i++) {
      const bytes = [() => weights, () => damaged(weights), () => withChangedHeader(weights)][below(3)]!();
      const arrays = await outcome([
        { name: "params.safetensors", bytes },
        jsonFile("config.json", below(2) === 0 ? config : changed(config)),
      ]);
      if (arrays === null) continue;
      read++;
      expectNaiveArrays(arrays, bytes, ["w_enc", "w_dec"]);
    }
    expect(read).toBeGreaterThan(CASES.gemmaScope2 / 20);
    expect(largestBytes).toBeLessThanOrEqual(weights.length);
  });
});
