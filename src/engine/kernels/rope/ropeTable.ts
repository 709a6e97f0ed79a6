/** How a checkpoint stretches its rotary frequencies to longer contexts (`rope_scaling` of its config). */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaxPositions: number;
    };

/** What a table of rotations is computed from. */
export interface RopeTableOptions {
  /** Even: how many values of a head are turned, in headDim / 2 planes; fewer than its width when it turns in part. */
  readonly headDim: number;
  readonly maxPositions: number;
  /** Base of the frequencies: plane i turns by theta^(-2i / headDim) radians per position. */
  readonly theta: number;
  readonly scaling?: RopeScaling;
}

/**
 * Cosines and sines [maxPositions, headDim / 2, 2], rounded to 32 bit from float64: the sine of WGSL is too coarse
 * for angles of thousands of radians.
 */
export function ropeTable(options: RopeTableOptions): Float32Array<ArrayBuffer> {
  const half = options.headDim / 2;
  const table = new Float32Array(options.maxPositions * options.headDim);
  for (let plane = 0; plane < half; plane++) {
    const plain = options.theta ** (-plane / half);
    const frequency = options.scaling ? scaledFrequency(plain, options.scaling) : plain;
    for (let position = 0; position < options.maxPositions; position++) {
      const at = (position * half + plane) * 2;
      table[at] = Math.cos(position * frequency);
      table[at + 1] = Math.sin(position * frequency);
    }
  }
  return table;
}

/** Llama 3 keeps short wavelengths, divides long ones and blends between (Hugging Face `rope_type: "llama3"`). */
function scaledFrequency(frequency: number, scaling: RopeScaling): number {
  if (scaling.type === "linear") return frequency / scaling.factor;
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  const turns = (scaling.originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns > high) return frequency;
  if (turns < low) return frequency / factor;
  const share = (turns - low) / (high - low);
  return frequency * ((1 - share) / factor + share);
}
