/** Records dispatches into the command encoder of the tensor runtime, so that its buffer bookkeeping stays valid. */
import { GpuValidationError } from "./errors.ts";
import { pooledSize } from "./bufferSize.ts";
import type { ErrorLog } from "./errors.ts";
import { ErrorScopes } from "./errorScopes.ts";
import type { Shape } from "./op.ts";
import { PipelineCache } from "./pipelines.ts";
import { sizeOf } from "./shader.ts";
import type { Shader } from "./shader.ts";
import { WebGPUBackend } from "./tfjs.ts";
import type { DataType, TensorInfo } from "./tfjs.ts";
import { UniformRing } from "./uniformRing.ts";

/** Default number of dispatches recorded before they are handed to the device. */
const DISPATCHES_PER_SUBMIT = 64;
/** STORAGE, COPY_SRC and COPY_DST: how the runtime makes the buffer of a tensor. */
const TENSOR_USAGE = 0x80 | 0x04 | 0x08;
/** Tensors hold 32-bit floats or integers. */
const BYTES_PER_ELEMENT = 4;

/** What the runtime's WebGPU backend keeps about the data of a tensor. */
interface TensorData {
  values: Float32Array | Int32Array | null | undefined;
  resource?: GPUBuffer | null;
  dtype: DataType;
  shape: Shape;
}

/** The fields of the runtime's backend this file relies on; `door.test.ts` asserts that they exist. */
export interface BackendInternals {
  readonly tensorMap: { get(dataId: object): TensorData; has(dataId: object): boolean };
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  readonly bufferManager: {
    readonly freeBuffers: ReadonlyMap<string, GPUBuffer[]>;
    acquireBuffer(size: number, usage: number, isMapped?: boolean, isReused?: boolean): GPUBuffer;
  };
}

/** Totals since the device was opened, and what is held now. */
export interface Counters {
  readonly dispatches: number;
  readonly submits: number;
  /** Host-to-device writes: uniform blocks and tensor contents. */
  readonly bufferWrites: number;
  readonly pipelines: number;
  /** Bind groups created so far. */
  readonly bindGroups: number;
  readonly bindGroupsHeld: number;
}

const SOFTWARE_ARCHITECTURES = ["swiftshader", "llvmpipe"];

/** Whether an adapter computes on the processor. */
export function isSoftwareAdapter({ isFallbackAdapter, architecture }: GPUAdapterInfo): boolean {
  return isFallbackAdapter || SOFTWARE_ARCHITECTURES.includes(architecture.toLowerCase());
}

/** The runtime's WebGPU backend with our own dispatch, uniform ring and caches. */
export class GpuBackend extends WebGPUBackend {
  readonly errors: ErrorLog;
  readonly cache: PipelineCache;
  /** Computes on the processor, where a workgroup barrier costs more than idle invocations. */
  readonly isSoftware: boolean;
  dispatchesPerSubmit = DISPATCHES_PER_SUBMIT;
  readonly #scopes: ErrorScopes;
  readonly #ring: UniformRing;
  readonly #internals: BackendInternals;
  /** Buffers that recorded commands use which are not submitted yet. */
  readonly #used = new Set<GPUBuffer>();
  #pending = 0;
  #dispatches = 0;
  #submits = 0;
  #bufferWrites = 0;

  constructor(device: GPUDevice, info: GPUAdapterInfo, errors: ErrorLog) {
    super(device, info);
    this.errors = errors;
    this.isSoftware = isSoftwareAdapter(info);
    this.#scopes = new ErrorScopes(device, errors);
    this.cache = new PipelineCache(device, this.#scopes);
    this.#ring = new UniformRing(device);
    this.#internals = this as unknown as BackendInternals;
    const { bufferManager } = this.#internals;
    const acquire = bufferManager.acquireBuffer.bind(bufferManager);
    bufferManager.acquireBuffer = (size, usage, ...rest) => {
      const pooled = usage === TENSOR_USAGE ? this.#pooled(size) : size;
      this.#putLowestLast(bufferManager.freeBuffers.get(`${pooled}_${usage}`) ?? []);
      return acquire(pooled, usage, ...rest);
    };
  }

  /** Called by the runtime too, so a submit can never overtake its uniforms. */
  override submitQueue(): void {
    if (this.#ring.flush()) this.#bufferWrites++;
    this.#submits++;
    this.#pending = 0;
    this.#used.clear();
    // An error event can come after the results it voids; a scope's answer can be waited for.
    this.#scopes.run("validation", () => super.submitQueue());
  }

  /** Called by the runtime for every tensor that needs a buffer. */
  override uploadToGPU(dataId: object): void {
    const data = this.#internals.tensorMap.get(dataId);
    if (data.resource !== null && data.resource !== undefined) return;
    const isOnHost = data.values !== null && data.values !== undefined;
    // Only a buffer that is not in the pool can fail, and a scope per reused buffer would cost time.
    const key = `${this.#pooled(BYTES_PER_ELEMENT * sizeOf(data.shape))}_${TENSOR_USAGE}`;
    const free = this.#internals.bufferManager.freeBuffers.get(key);
    if (free !== undefined && free.length > 0) super.uploadToGPU(dataId);
    else this.#scopes.run("out-of-memory", () => super.uploadToGPU(dataId));
    // The runtime records a copy of what the host holds, which a write must not overtake.
    if (isOnHost && data.resource) this.#used.add(data.resource);
  }

  /** Hands everything recorded so far to the device. */
  submit(): void {
    if (this.#internals.commandEncoder === null) return;
    this.endComputePassEncoder();
    this.submitQueue();
  }

  /** Current totals. */
  counters(): Counters {
    return {
      dispatches: this.#dispatches,
      submits: this.#submits,
      bufferWrites: this.#bufferWrites,
      pipelines: this.cache.pipelineCount,
      bindGroups: this.cache.createdBindGroups,
      bindGroupsHeld: this.cache.bindGroupCount,
    };
  }

  /** Records one dispatch over `tensors` in binding order. */
  dispatch(shader: Shader, tensors: readonly TensorInfo[]): void {
    const { tensorMap } = this.#internals;
    const buffers = tensors.map((tensor) => this.bufferOf(tensor.dataId));
    checkAliases(shader, buffers);
    if (this.#ring.isFull) this.submit();
    const pipeline = this.cache.pipelineOf(shader);
    const group = this.cache.bindGroupOf(pipeline, buffers, this.#ring.buffer);
    const offset = this.#ring.push(shader.uniformTypes, shader.uniforms);
    const pass = this.#pass();
    pass.setPipeline(pipeline.pipeline);
    pass.setBindGroup(0, group, [offset]);
    pass.dispatchWorkgroups(...shader.workgroups);
    for (const buffer of buffers) this.#used.add(buffer);
    tensors.forEach(({ dataId }, index) => {
      // The runtime would return its old host copy of a tensor that was read before.
      if (shader.writable[index] === true) tensorMap.get(dataId).values = null;
    });
    this.#dispatches++;
    if (++this.#pending >= this.dispatchesPerSubmit) this.submit();
  }

  /** The device buffer that holds a tensor's data, uploaded if it is still on the host. */
  bufferOf(dataId: object): GPUBuffer {
    this.uploadToGPU(dataId);
    const { resource } = this.#internals.tensorMap.get(dataId);
    if (resource === null || resource === undefined) throw new Error("tensor has no buffer");
    return resource;
  }

  /** Whether this backend holds the data. */
  holds(dataId: object): boolean {
    return this.#internals.tensorMap.has(dataId);
  }

  /**
   * Overwrites a tensor's data; commands recorded before see the old contents, later ones the new. A write overtakes
   * what is recorded and not submitted, also what an earlier tensor did with the same buffer.
   */
  writeData(dataId: object, values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void {
    // Dropped first: uploading the old contents would be a recorded copy that runs after the write.
    this.#internals.tensorMap.get(dataId).values = null;
    const buffer = this.bufferOf(dataId);
    if (this.#used.has(buffer)) this.submit();
    this.queue.writeBuffer(buffer, 0, values);
    this.#bufferWrites++;
  }

  /** Fills a tensor's data with zero bits. */
  clearData(dataId: object): void {
    const buffer = this.bufferOf(dataId);
    this.#encoder().clearBuffer(buffer);
    this.#used.add(buffer);
    this.#internals.tensorMap.get(dataId).values = null;
  }

  /** Copies one tensor's data over another's of the same size. */
  copyData(from: object, to: object): void {
    const [source, target] = [this.bufferOf(from), this.bufferOf(to)];
    this.#encoder().copyBufferToBuffer(source, 0, target, 0, source.size);
    for (const buffer of [source, target]) this.#used.add(buffer);
    this.#internals.tensorMap.get(to).values = null;
  }

  /** Reads a tensor's data; rejects with the first device error nobody has taken. */
  async readData(dataId: object): Promise<Float32Array | Int32Array> {
    const { dtype, shape } = this.#internals.tensorMap.get(dataId);
    const bytes = this.getBufferData(this.bufferOf(dataId));
    const [data] = await Promise.all([bytes, this.settled()]).catch(async (cause: unknown) => {
      // The reason of a refused read is reported apart from it.
      await this.settled();
      this.errors.throwFirst();
      throw cause;
    });
    this.errors.throwFirst();
    // The buffer is as large as its class, the tensor may be smaller.
    const count = sizeOf(shape);
    return dtype === "int32" ? new Int32Array(data, 0, count) : new Float32Array(data, 0, count);
  }

  /** What the runtime's own `data()` calls; its reading would return the whole buffer. */
  override read(dataId: object): Promise<Float32Array | Int32Array> {
    return this.readData(dataId);
  }

  /** Resolves when the errors of everything recorded so far have arrived in the error log. */
  async settled(): Promise<void> {
    this.submit();
    await this.#scopes.settled();
  }

  /**
   * The pool hands out the buffer freed last. With the oldest buffer there, what it hands out depends only on which
   * buffers are free, so that a step like the one before gets the same buffers, and needs no new bind group.
   */
  #putLowestLast(free: GPUBuffer[]): void {
    let lowest = free.length - 1;
    for (let index = lowest - 1; index >= 0; index--) {
      if (this.cache.numberOf(free[index]!) < this.cache.numberOf(free[lowest]!)) lowest = index;
    }
    if (lowest >= 0) free.push(...free.splice(lowest, 1));
  }

  #pooled(size: number): number {
    return pooledSize(size, this.device.limits.maxStorageBufferBindingSize);
  }

  #encoder(): GPUCommandEncoder {
    this.endComputePassEncoder();
    this.ensureCommandEncoderReady();
    const encoder = this.#internals.commandEncoder;
    if (encoder === null) throw new Error("no command encoder");
    return encoder;
  }

  #pass(): GPUComputePassEncoder {
    const open = this.#internals.computePassEncoder;
    if (open !== null) return open;
    const pass = this.#encoder().beginComputePass();
    this.#internals.computePassEncoder = pass;
    return pass;
  }
}

/** WebGPU drops a dispatch that binds one buffer for writing and a second time; this says so at the call. */
function checkAliases(shader: Shader, buffers: readonly GPUBuffer[]): void {
  shader.writable.forEach((isWritable, index) => {
    if (!isWritable) return;
    const buffer = buffers[index];
    if (buffers.some((other, place) => other === buffer && place !== index)) {
      throw new GpuValidationError(`${shader.operation}: a tensor it writes is also bound a second time`);
    }
  });
}
