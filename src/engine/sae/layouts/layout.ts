/** What a layout of autoencoder files is, and what every one of them is read into. */

/** A file by its name within the folder. */
export interface SaeFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An autoencoder on the host: features are JumpReLU(h We^T + b) of the stream itself, all matrices row-major. */
export interface SaeArrays {
  readonly inputSize: number;
  readonly width: number;
  /** Block whose output it reads, from 0 on. */
  readonly layer: number;
  readonly hook: string;
  readonly modelName: string | null;
  /** [width, inputSize], with whatever the file does to the stream before it folded in */
  readonly encoder: Float32Array;
  /** [width] */
  readonly bias: Float32Array;
  /** [width] */
  readonly threshold: Float32Array;
  /** [width, inputSize] */
  readonly decoder: Float32Array;
  /** [inputSize] */
  readonly decoderBias: Float32Array;
}

/** One way to store an autoencoder. */
export interface SaeLayout {
  /** Files it needs; the first holds the weights. */
  readonly fileNames: readonly string[];
  readonly matches: (files: readonly SaeFile[]) => boolean;
  /** Throws `FileFormatError` for what is missing, does not fit or would be computed wrongly. */
  readonly read: (files: readonly SaeFile[]) => SaeArrays;
}

/** A matrix [rows, columns] as [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column]!;
  return result;
}

/** The bias that gives (h − shift) We^T + b as h We^T + bias: encoder [width, inputSize], in float64. */
export function biasOfShift(
  { encoder, bias }: Pick<SaeArrays, "encoder" | "bias">,
  shift: Float32Array,
): Float32Array {
  return bias.map((value, feature) => {
    const start = feature * shift.length;
    return shift.reduce((sum, each, i) => sum - each * encoder[start + i]!, value);
  });
}
