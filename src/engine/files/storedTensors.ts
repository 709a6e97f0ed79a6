/** The tensors of a model's files by their names there: known before any is read, and read one by one. */

/** How the values of a tensor are stored: safetensors' names, or GGUF's for its blocks. */
export type StoredType =
  "F32" | "F16" | "BF16" | "F64" | "Q8_0" | "Q4_0" | "Q4_1" | "Q5_0" | "Q5_1" | "Q4_K" | "Q5_K" | "Q6_K";

/** A tensor in a file. Sizes run from the slowest to the fastest axis, a linear is [out, in], rows are as Hugging Face orders them. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly type: StoredType;
  /** Bytes in the file. */
  readonly bytes: number;
  /** The stored bytes, row after row; throws `FileFormatError` where the file is cut. */
  readonly read: () => Promise<Uint8Array>;
  /** The values in 32 bits, row-major. */
  readonly values: () => Promise<Float32Array>;
  /** The rows from `first` up to `end` alone, where a file can give them without reading the others. */
  readonly rows?: (first: number, end: number) => StoredTensor;
}

/** Tensors by the name that a Hugging Face checkpoint of the model gives them. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;
