/** Records dispatches into the command encoder of the tensor runtime, so that its buffer bookkeeping stays valid. */
import type { ArenaMemory } from "./arenaMemory.ts";
import { copiesNeeded } from "./bufferRange.ts";
import type { BufferRange } from "./bufferRange.ts";
import { orderPool } from "./bufferPool.ts";
import { pooledSize } from "./bufferSize.ts";
import { Encoding } from "./encoding.ts";
import type { ClearCommand, Command, CopyCommand, Recorder } from "./encoding.ts";
import type { ErrorLog } from "./errors.ts";
import { ErrorScopes } from "./errorScopes.ts";
import type { BackendInternals, DataOwner } from "./internals.ts";
import type { Shape } from "./op.ts";
import { notePlannedFree } from "./planning.ts";
import { PipelineCache } from "./pipelines.ts";
import type { Pipeline } from "./pipelines.ts";
import { sizeOf } from "./shader.ts";
import type { Shader } from "./shader.ts";
import { isSoftwareAdapter } from "./softwareAdapter.ts";
import { engine, WebGPUBackend } from "./tfjs.ts";
import type { TensorInfo } from "./tfjs.ts";
import { UniformRing } from "./uniformRing.ts";

/** STORAGE, COPY_SRC and COPY_DST: how the runtime makes the buffer of a tensor. */
export const TENSOR_USAGE = 0x80 | 0x04 | 0x08;
/** COPY_DST and MAP_READ: how results come to the host. */
const STAGING_USAGE = 0x08 | 0x01;
/** Tensors hold 32-bit floats or integers. */
const BYTES_PER_ELEMENT = 4;

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

const NO_UPLOAD =
  "values cannot come from the host while an arena records, because a replay would not bring them: make the tensor before, and change it between replays with write";

/** Below it the rest of a size class is not worth a buffer of its own size. */
const SMALLEST_EXACT_BYTES = 2 ** 20;

/** Data that lies inside another tensor's, which it keeps alive. */
interface View {
  readonly parent: object;
  /** Bytes from the beginning of the parent's buffer. */
  readonly offset: number;
}

/** The runtime's WebGPU backend with our own dispatch, uniform ring and caches. */
export class GpuBackend extends WebGPUBackend {
  readonly errors: ErrorLog;
  readonly cache: PipelineCache;
  /** Computes on the processor, where a workgroup barrier costs more than idle invocations. */
  readonly isSoftware: boolean;
  /** While it is set, tensors get their buffers from it and it keeps the commands. */
  recorder: Recorder | null = null;
  readonly arenas = new Set<ArenaMemory>();
  readonly scopes: ErrorScopes;
  readonly #encoding: Encoding;
  readonly #ring: UniformRing;
  readonly #internals: BackendInternals;
  readonly #views = new WeakMap<object, View>();
  readonly #arenas = new WeakMap<object, ArenaMemory>();
  #submits = 0;
  #bufferWrites = 0;
  #isForGood = false;

  constructor(device: GPUDevice, info: GPUAdapterInfo, errors: ErrorLog) {
    super(device, info);
    this.errors = errors;
    this.isSoftware = isSoftwareAdapter(info);
    this.scopes = new ErrorScopes(device, errors);
    this.cache = new PipelineCache(device, this.scopes);
    this.#ring = new UniformRing(device);
    this.#internals = this as unknown as BackendInternals;
    this.#encoding = new Encoding(this.#internals);
    orderPool(this.#internals.bufferManager, {
      sizeOf: (size, usage) => (usage === TENSOR_USAGE ? this.#pooled(size) : size),
      numberOf: (buffer) => this.cache.numberOf(buffer),
    });
  }

  /** Called by the runtime too, so a submit can never overtake its uniforms. */
  override submitQueue(): void {
    if (this.#ring.flush()) this.#bufferWrites++;
    this.#submits++;
    this.#encoding.forget();
    // An error event can come after the results it voids; a scope's answer can be waited for.
    this.scopes.run("validation", () => super.submitQueue());
  }

  /** Called by the runtime for every tensor that needs a buffer. */
  override uploadToGPU(dataId: object): void {
    const data = this.#internals.tensorMap.get(dataId);
    if (data.resource !== null && data.resource !== undefined) return;
    const isOnHost = data.values !== null && data.values !== undefined;
    if (this.recorder !== null) {
      const { memory } = this.recorder;
      const bytes = BYTES_PER_ELEMENT * sizeOf(data.shape);
      // The tape fills in missing gradients with zeros on the host.
      if (isOnHost && data.values?.some((value) => value !== 0) === true) throw new Error(NO_UPLOAD);
      const buffer = memory.take(dataId, bytes);
      Object.assign(data, { resource: buffer, external: true, values: null });
      this.#arenas.set(dataId, memory);
      if (isOnHost) this.recorder.add({ kind: "clear", range: { buffer, offset: 0, bytes, isView: false } });
      return;
    }
    // Only a buffer that is not in the pool can fail, and a scope per reused buffer would cost time.
    const key = `${this.#pooled(BYTES_PER_ELEMENT * sizeOf(data.shape))}_${TENSOR_USAGE}`;
    const free = this.#internals.bufferManager.freeBuffers.get(key);
    if (free !== undefined && free.length > 0) super.uploadToGPU(dataId);
    else this.scopes.run("out-of-memory", () => super.uploadToGPU(dataId));
    // The runtime records a copy of what the host holds, which a write must not overtake.
    if (isOnHost && data.resource) this.#encoding.use(data.resource);
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
      dispatches: this.#encoding.dispatches,
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
    const isCopied = copiesNeeded(
      shader,
      tensors.map(({ dataId }) => this.rangeOf(dataId)),
    );
    const bound = tensors.map((tensor, place) => (isCopied[place] === true ? this.#copied(tensor) : tensor));
    const ranges = bound.map(({ dataId }) => this.rangeOf(dataId));
    const pipeline = this.cache.pipelineOf(shader);
    if (this.recorder === null) this.#dispatchNow(shader, pipeline, ranges);
    else this.recorder.add({ kind: "unbound", shader, pipeline, ranges });
    bound.forEach((tensor, place) => {
      if (tensor !== tensors[place]) this.disposeData(tensor.dataId);
      // The runtime would return its old host copy of a tensor that was read before.
      else if (shader.writable[place] === true) tensorMap.get(tensor.dataId).values = null;
    });
  }

  /** Records commands that were bound before. */
  play(commands: readonly Command[]): void {
    for (const command of commands) {
      this.#encoding.add(command);
      if (this.#encoding.isFull) this.submit();
    }
  }

  set dispatchesPerSubmit(count: number) {
    this.#encoding.dispatchesPerSubmit = count;
  }

  /** Where a tensor's data lies on the device, uploaded if it is still on the host. */
  rangeOf(dataId: object): BufferRange {
    this.uploadToGPU(dataId);
    this.recorder?.use(this.#views.get(dataId)?.parent ?? dataId);
    const { resource, shape } = this.#internals.tensorMap.get(dataId);
    if (resource === null || resource === undefined) throw new Error("tensor has no buffer");
    const bytes = BYTES_PER_ELEMENT * sizeOf(shape);
    return { buffer: resource, offset: this.offsetOf(dataId), bytes, isView: this.#views.has(dataId) };
  }

  /** Bytes from the beginning of the buffer that a view lies in; 0 for others. */
  offsetOf(dataId: object): number {
    return this.#views.get(dataId)?.offset ?? 0;
  }

  /** A tensor on part of another's data, from `offset` (elements) on, which lives as long as either of them. */
  makeView(source: TensorInfo, offset: number, shape: Shape): TensorInfo {
    const { buffer, offset: sourceOffset } = this.rangeOf(source.dataId);
    const parent = this.#views.get(source.dataId)?.parent ?? source.dataId;
    this.incRef(parent);
    const info = this.makeTensorInfo([...shape], source.dtype);
    Object.assign(this.#internals.tensorMap.get(info.dataId), { resource: buffer, external: true });
    this.#views.set(info.dataId, { parent, offset: sourceOffset + BYTES_PER_ELEMENT * offset });
    return info;
  }

  /** Called by the runtime when a handle is freed; the data of the last one gives up what it held. */
  override disposeData(dataId: object, isForced = false): boolean {
    const isFreed = super.disposeData(dataId, isForced);
    if (!isFreed) return false;
    this.#arenas.get(dataId)?.free(dataId);
    notePlannedFree(dataId);
    const view = this.#views.get(dataId);
    this.#views.delete(dataId);
    if (view !== undefined) this.release(view.parent);
    return true;
  }

  /** Takes back one `incRef`. */
  release(dataId: object): void {
    // The runtime keeps the entry when the last handle is freed before the last reference.
    if (this.disposeData(dataId)) (engine() as unknown as DataOwner).removeDataId(dataId, this);
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
    if (this.recorder !== null) throw new Error(NO_UPLOAD);
    // Dropped first: uploading the old contents would be a recorded copy that runs after the write.
    this.#internals.tensorMap.get(dataId).values = null;
    const { buffer, offset } = this.rangeOf(dataId);
    if (this.#encoding.isUsed(buffer)) this.submit();
    this.queue.writeBuffer(buffer, offset, values);
    this.#bufferWrites++;
  }

  /**
   * Gives a tensor that will stay its buffer. A large one is exact: only scratch, which comes in many sizes and goes,
   * gains from size classes.
   */
  placeForGood(dataId: object): void {
    this.#isForGood = true;
    try {
      this.rangeOf(dataId);
    } finally {
      this.#isForGood = false;
    }
  }

  /** Destroys the buffers of freed tensors. */
  trim(): void {
    this.submit();
    const { bufferManager } = this.#internals;
    // A free buffer is asked for by its very size.
    this.#isForGood = true;
    for (const free of bufferManager.freeBuffers.values()) {
      for (let buffer = free[0]; buffer !== undefined; buffer = free[0]) {
        const { size, usage } = buffer;
        bufferManager.releaseBuffer(bufferManager.acquireBuffer(size, usage), false);
      }
    }
    this.#isForGood = false;
  }

  /** Fills a tensor's data with zero bits. */
  clearData(dataId: object): void {
    this.#add({ kind: "clear", range: this.rangeOf(dataId) });
    this.#internals.tensorMap.get(dataId).values = null;
  }

  /** Copies one tensor's data over another's of the same size. */
  copyData(from: object, to: object): void {
    this.#add({ kind: "copy", from: this.rangeOf(from), to: this.rangeOf(to) });
    this.#internals.tensorMap.get(to).values = null;
  }

  /** Reads a tensor's data; rejects with the first device error nobody has taken. */
  async readData(dataId: object): Promise<Float32Array | Int32Array> {
    if (this.recorder !== null) throw new Error("nothing can be read while an arena records");
    const { dtype } = this.#internals.tensorMap.get(dataId);
    const download = this.#download(this.rangeOf(dataId));
    const [data] = await Promise.all([download, this.settled()]).catch(async (cause: unknown) => {
      // The reason of a refused read is reported apart from it.
      await this.settled();
      this.errors.throwFirst();
      throw cause;
    });
    this.errors.throwFirst();
    return dtype === "int32" ? new Int32Array(data) : new Float32Array(data);
  }

  /** What the runtime's own `data()` calls; its reading would return the whole buffer. */
  override read(dataId: object): Promise<Float32Array | Int32Array> {
    return this.readData(dataId);
  }

  /** Resolves when the errors of everything recorded so far have arrived in the error log. */
  async settled(): Promise<void> {
    this.submit();
    await this.scopes.settled();
  }

  /** A copy of a tensor that lasts until it is freed, on a buffer of its own. */
  #copied({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    const copy = this.makeTensorInfo(shape, dtype);
    this.copyData(dataId, copy.dataId);
    return copy;
  }

  async #download({ buffer, offset, bytes }: BufferRange): Promise<ArrayBuffer> {
    const { bufferManager } = this.#internals;
    const staging = bufferManager.acquireBuffer(this.#pooled(bytes), STAGING_USAGE);
    this.#encoding.encoder().copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    this.submit();
    let isMapped = false;
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, bytes);
      isMapped = true;
      return staging.getMappedRange(0, bytes).slice(0);
    } finally {
      if (isMapped) staging.unmap();
      bufferManager.releaseBuffer(staging, isMapped);
    }
  }

  #pooled(size: number): number {
    if (this.#isForGood && size >= SMALLEST_EXACT_BYTES) return size;
    return pooledSize(size, this.device.limits.maxStorageBufferBindingSize);
  }

  #add(command: ClearCommand | CopyCommand): void {
    (this.recorder ?? this.#encoding).add(command);
  }

  #dispatchNow(shader: Shader, pipeline: Pipeline, ranges: readonly BufferRange[]): void {
    if (this.#ring.isFull) this.submit();
    const group = this.cache.bindGroupOf(pipeline, ranges, this.#ring.buffer);
    const uniformOffset = this.#ring.push(shader.uniformTypes, shader.uniforms);
    const { workgroups } = shader;
    this.play([{ kind: "dispatch", pipeline: pipeline.pipeline, group, uniformOffset, workgroups, ranges }]);
  }
}
