/** A stored number format that is read into 32-bit floats. */
export interface ElementFormat {
  readonly bytes: number;
  /** Reads little-endian elements that start at the beginning of `view`. */
  readonly read: (view: DataView, into: Float32Array) => void;
}

const wholeWord = new Uint32Array(1);
const wordAsFloat = new Float32Array(wholeWord.buffer);

const FRACTION_BITS_OF_HALF = 10;
const SUBNORMAL_STEP_OF_HALF = 2 ** -24;

/** The value of an IEEE 754 binary16 bit pattern. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> FRACTION_BITS_OF_HALF) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * SUBNORMAL_STEP_OF_HALF;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The value of a bfloat16 bit pattern: the upper half of a 32-bit float. */
export function brainToFloat(bits: number): number {
  wholeWord[0] = bits << 16;
  return wordAsFloat[0] ?? 0;
}

/** Readable element types by the name safetensors gives them. */
export const elementFormats: ReadonlyMap<string, ElementFormat> = new Map([
  [
    "F32",
    {
      bytes: 4,
      read: (view, into) => {
        // Copied as bytes: typed arrays are little-endian wherever there is WebGPU, and a range need not be aligned.
        const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
        bytes.set(new Uint8Array(view.buffer, view.byteOffset, bytes.length));
      },
    },
  ],
  [
    "F16",
    {
      bytes: 2,
      read: (view, into) => {
        for (let i = 0; i < into.length; i++) into[i] = halfToFloat(view.getUint16(2 * i, true));
      },
    },
  ],
  [
    "BF16",
    {
      bytes: 2,
      read: (view, into) => {
        for (let i = 0; i < into.length; i++) into[i] = brainToFloat(view.getUint16(2 * i, true));
      },
    },
  ],
  [
    "F64",
    {
      bytes: 8,
      read: (view, into) => {
        for (let i = 0; i < into.length; i++) into[i] = view.getFloat64(8 * i, true);
      },
    },
  ],
] satisfies [string, ElementFormat][]);
