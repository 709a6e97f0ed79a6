/** Rounding a group of weights to a few levels, as GGUF's reference quantisers do. */
import type { QuantizedLayout } from "./weightLayout.ts";

/** Codes of a group and what turns them back into values; codes were rounded with the scale as given here. */
export interface QuantizedGroup {
  readonly codes: readonly number[];
  readonly scale: number;
  readonly minimum: number;
}

/** Quantises up to 32 values: q8 by the largest magnitude, q4s by it with its sign, q4m from minimum to maximum. */
export function quantizeGroup(values: Float32Array | Float64Array, layout: QuantizedLayout): QuantizedGroup {
  switch (layout) {
    case "q8":
      return quantizeBytes(values);
    case "q4s":
      return quantizeSigned(values);
    case "q4m":
      return quantizeBetween(values);
  }
}

function peakOf(values: Float32Array | Float64Array): number {
  let peak = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(peak)) peak = value;
  return peak;
}

function quantizeBytes(values: Float32Array | Float64Array): QuantizedGroup {
  const scale = Math.abs(peakOf(values)) / 127;
  const codes = Array.from(values, (value) => {
    if (scale === 0) return 0;
    // Halves away from zero.
    return Math.sign(value) * Math.floor(Math.abs(value) / scale + 0.5);
  });
  return { codes, scale, minimum: 0 };
}

function quantizeSigned(values: Float32Array | Float64Array): QuantizedGroup {
  // The entry of largest magnitude becomes exactly -8 steps.
  const scale = peakOf(values) / -8;
  const codes = Array.from(values, (value) => nibbleOf((scale === 0 ? 0 : value / scale) + 8.5));
  return { codes, scale, minimum: 0 };
}

function quantizeBetween(values: Float32Array | Float64Array): QuantizedGroup {
  const minimum = Math.min(...values);
  const scale = (Math.max(...values) - minimum) / 15;
  const codes = Array.from(values, (value) => nibbleOf((scale === 0 ? 0 : (value - minimum) / scale) + 0.5));
  return { codes, scale, minimum };
}

function nibbleOf(value: number): number {
  return Math.min(15, Math.max(0, Math.floor(value)));
}
