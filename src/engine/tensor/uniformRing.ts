/** Uniform blocks of the dispatches of one submit: written once, addressed by dynamic offset. */
import type { Op } from "./op.ts";

/** Bytes between two uniform blocks; the largest alignment WebGPU allows a device to ask for. */
export const UNIFORM_SLOT_BYTES = 256;
const RING_BYTES = 1_048_576;

/** Writes one uniform block at a byte offset; throws when a declared member has no value. */
export function writeUniforms(
  view: DataView,
  offset: number,
  { types, values }: { types: Op["uniforms"]; values: Readonly<Record<string, number>> },
): void {
  let at = offset;
  for (const name in types) {
    const value = values[name];
    if (value === undefined) throw new RangeError(`uniform ${name} has no value`);
    const type = types[name];
    if (type === "f32") view.setFloat32(at, value, true);
    else if (type === "i32") view.setInt32(at, value, true);
    else view.setUint32(at, value, true);
    at += 4;
  }
}

/** One buffer of uniform slots with a shadow on the host. */
export class UniformRing {
  readonly buffer: GPUBuffer;
  readonly #queue: GPUQueue;
  readonly #shadow = new ArrayBuffer(RING_BYTES);
  readonly #view = new DataView(this.#shadow);
  #used = 0;

  constructor(device: GPUDevice) {
    this.#queue = device.queue;
    this.buffer = device.createBuffer({
      label: "uniforms",
      size: RING_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Whether the next `push` needs a submit first. */
  get isFull(): boolean {
    return this.#used === RING_BYTES;
  }

  /** Writes one uniform block and returns its byte offset; throws when a declared member has no value. */
  push(types: Op["uniforms"], values: Readonly<Record<string, number>>): number {
    const offset = this.#used;
    writeUniforms(this.#view, offset, { types, values });
    this.#used += UNIFORM_SLOT_BYTES;
    return offset;
  }

  /**
   * Sends all blocks since the last flush; must come right before the submit that reads them. The queue runs writes
   * and submits in order, so the slots can be used again at once. Returns whether anything was sent.
   */
  flush(): boolean {
    if (this.#used === 0) return false;
    this.#queue.writeBuffer(this.buffer, 0, this.#shadow, 0, this.#used);
    this.#used = 0;
    return true;
  }
}
