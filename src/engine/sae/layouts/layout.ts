/** What a layout of autoencoder files is, and what every one of them is read into. */
import type { FileBytes } from "../../files/fileBytes.ts";

/** A file by its path; folders in it tell what the file itself does not say. */
export interface SaeFile {
  readonly name: string;
  readonly bytes: FileBytes;
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
  /** [width, inputSize]; null where it was not asked for */
  readonly decoder: Float32Array | null;
  /** [inputSize]; null where it was not asked for */
  readonly decoderBias: Float32Array | null;
}

/** What is known of an autoencoder beside its files, and what is wanted of it. */
export interface ReadSaeOptions {
  /** Only reconstructions and saving need the decoder, which is as large as the encoder. */
  readonly needsDecoder?: boolean;
  /** The place it reads, such as blocks.25.hook_resid_post, for files that do not tell; one that contradicts is refused. */
  readonly hook?: string;
  /** What the stream is multiplied by before it is read, where its files leave that to the data (`expected_average_only_in`). */
  readonly activationScale?: number;
}

/** One way to store an autoencoder. */
export interface SaeLayout {
  /** Files it consists of; the first holds the weights. */
  readonly fileNames: readonly string[];
  readonly matches: (files: readonly SaeFile[]) => boolean;
  /** Rejects with `FileFormatError` for what is missing, does not fit or would be computed wrongly. */
  readonly read: (files: readonly SaeFile[], options: ReadSaeOptions) => Promise<SaeArrays>;
}

/** A file's name without its folders. */
export function baseName({ name }: SaeFile): string {
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
}
