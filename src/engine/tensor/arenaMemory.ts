/** The buffers of an arena, and which tensor has which. */
import { GpuOutOfMemoryError } from "./errors.ts";

/** Buffers are multiples of this many bytes. */
const UNIT_BYTES = 256;
/** A tensor takes a free buffer of up to this many times its size; a smaller one would block the place of a large one. */
const LARGEST_EXCESS = 4;

/** What an arena needs of its device. */
export interface BufferMaker {
  /** Bytes of the largest buffer that can be bound. */
  readonly largestBytes: number;
  make(bytes: number): GPUBuffer;
}

/** Which buffers there are and who has them, to go back to. */
export interface ArenaState {
  readonly buffers: readonly GPUBuffer[];
  readonly holders: ReadonlyMap<GPUBuffer, object>;
}

/** Buffers that are handed out again as soon as their tensor is freed, but only while the arena records. */
export class ArenaMemory {
  isRecording = false;
  bytes = 0;
  readonly #maker: BufferMaker;
  #buffers: GPUBuffer[] = [];
  /** The data that has a buffer; what is not here is free. */
  #holders = new Map<GPUBuffer, object>();
  readonly #bufferOf = new WeakMap<object, GPUBuffer>();

  constructor(maker: BufferMaker) {
    this.#maker = maker;
  }

  /** The smallest free buffer that holds `bytes`, or a new one. Throws `GpuOutOfMemoryError` when none can. */
  take(dataId: object, bytes: number): GPUBuffer {
    let best: GPUBuffer | undefined;
    for (const buffer of this.#buffers) {
      const isFree = !this.#holders.has(buffer) && buffer.size >= bytes;
      if (isFree && (best === undefined || buffer.size < best.size)) best = buffer;
    }
    const needed = Math.ceil(Math.max(bytes, 1) / UNIT_BYTES) * UNIT_BYTES;
    const buffer = best === undefined || best.size > LARGEST_EXCESS * needed ? this.#make(needed) : best;
    this.#holders.set(buffer, dataId);
    this.#bufferOf.set(dataId, buffer);
    return buffer;
  }

  /** Whether the data lies in this arena and has not been given up. */
  has(dataId: object): boolean {
    const buffer = this.#bufferOf.get(dataId);
    return buffer !== undefined && this.#holders.get(buffer) === dataId;
  }

  /** Gives up a freed tensor's buffer. Freed between recordings it stays, because a replay writes it again. */
  free(dataId: object): void {
    const buffer = this.#bufferOf.get(dataId);
    if (this.isRecording && buffer !== undefined && this.has(dataId)) this.#holders.delete(buffer);
  }

  /** Gives up all buffers, also those of tensors that still have handles. */
  reset(): void {
    this.#holders = new Map();
  }

  /** The state now. */
  state(): ArenaState {
    return { buffers: [...this.#buffers], holders: new Map(this.#holders) };
  }

  /** Goes back to an earlier state; destroys what has been made since. */
  restore({ buffers, holders }: ArenaState): void {
    const kept = new Set(buffers);
    for (const buffer of this.#buffers) if (!kept.has(buffer)) buffer.destroy();
    this.#buffers = [...buffers];
    this.#holders = new Map(holders);
    this.bytes = buffers.reduce((sum, { size }) => sum + size, 0);
  }

  #make(bytes: number): GPUBuffer {
    const { largestBytes } = this.#maker;
    if (bytes > largestBytes) {
      throw new GpuOutOfMemoryError(
        `a tensor needs ${bytes} bytes, this device binds at most ${largestBytes}`,
      );
    }
    const buffer = this.#maker.make(bytes);
    this.#buffers.push(buffer);
    this.bytes += bytes;
    return buffer;
  }
}
