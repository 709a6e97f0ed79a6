/** The private fields and methods of the tensor runtime that the door relies on; `door.test.ts` asserts that they exist. */
import type { Shape } from "./op.ts";
import type { DataType } from "./tfjs.ts";

/** How the runtime's backend records commands. */
export interface EncoderOwner {
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  endComputePassEncoder(): void;
  ensureCommandEncoderReady(): void;
}

/** What the runtime's WebGPU backend keeps about the data of a tensor. */
interface TensorData {
  values: Float32Array | Int32Array | null | undefined;
  resource?: GPUBuffer | null;
  /** The buffer belongs to somebody else, so the runtime does not pool it. */
  external?: boolean;
  dtype: DataType;
  shape: Shape;
}

/** What the runtime's backend keeps. */
export interface BackendInternals extends EncoderOwner {
  readonly tensorMap: { get(dataId: object): TensorData; has(dataId: object): boolean };
  readonly bufferManager: BufferManager;
}

/** The runtime's pool of buffers, by size and usage. */
export interface BufferManager {
  readonly freeBuffers: ReadonlyMap<string, GPUBuffer[]>;
  acquireBuffer(size: number, usage: number, isMapped?: boolean, isReused?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, isReused?: boolean): void;
}

/** The runtime's list of data, from which an entry goes when its backend has freed it. */
export interface DataOwner {
  removeDataId(dataId: object, backend: unknown): void;
}
