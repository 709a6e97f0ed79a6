import { brainToFloat, halfToFloat } from "../kernels/weightLayout/half.ts";

/** A stored number format that is read into 32-bit floats. */
export interface ElementFormat {
  readonly bytes: number;
  /** Reads little-endian elements that start at the beginning of `view`. */
  readonly read: (view: DataView, into: Float32Array) => void;
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
