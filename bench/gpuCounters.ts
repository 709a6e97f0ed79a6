/** Counts what reaches WebGPU by wrapping its prototypes, so that no layer above it can miscount. */

/** Totals since `startGpuCounters`, and bytes of the buffers that exist. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly bufferWrites: number;
  readonly buffersCreated: number;
  readonly bindGroupsCreated: number;
  readonly pipelinesCreated: number;
}

/** A buffer that tensors live in. */
export interface StorageBuffers {
  /** Bytes that exist now, and most that ever existed at once since `restart`. */
  readonly bytes: number;
  readonly peakBytes: number;
  /** Sizes in bytes of all that were created since `restart`. */
  readonly sizes: readonly number[];
}

const STORAGE_USAGE = 0x80;

const counts = {
  dispatches: 0,
  submits: 0,
  bufferWrites: 0,
  buffersCreated: 0,
  bindGroupsCreated: 0,
  pipelinesCreated: 0,
};
const storage = { bytes: 0, peakBytes: 0, sizes: [] as number[] };
const storageSizes = new WeakMap<GPUBuffer, number>();
const pipelineNames = new WeakMap<GPUComputePassEncoder, string>();
let dispatchesByName = new Map<string, number>();
let isWrapped = false;

type Method = (...args: never[]) => unknown;

/** Replaces a method by one that first calls `before` and then, with the result, `after`. */
function wrap<T extends object>(
  prototype: T,
  name: keyof T,
  watch: { before?: (self: T, args: unknown[]) => void; after?: (result: unknown, args: unknown[]) => void },
): void {
  const original = prototype[name] as Method;
  const wrapped = function (this: T, ...args: unknown[]): unknown {
    watch.before?.(this, args);
    const result = Reflect.apply(original, this, args) as unknown;
    watch.after?.(result, args);
    return result;
  };
  Object.assign(prototype, { [name]: wrapped });
}

/** Starts counting; further calls change nothing. */
export function startGpuCounters(): void {
  if (isWrapped) return;
  isWrapped = true;
  wrap(GPUDevice.prototype, "createBuffer", { after: addBuffer });
  wrap(GPUBuffer.prototype, "destroy", { before: removeBuffer });
  wrap(GPUDevice.prototype, "createBindGroup", { before: () => counts.bindGroupsCreated++ });
  wrap(GPUDevice.prototype, "createComputePipeline", { before: () => counts.pipelinesCreated++ });
  wrap(GPUDevice.prototype, "createComputePipelineAsync", { before: () => counts.pipelinesCreated++ });
  wrap(GPUQueue.prototype, "submit", { before: () => counts.submits++ });
  wrap(GPUQueue.prototype, "writeBuffer", { before: () => counts.bufferWrites++ });
  wrap(GPUComputePassEncoder.prototype, "setPipeline", {
    before: (pass, [pipeline]) => pipelineNames.set(pass, (pipeline as GPUComputePipeline).label),
  });
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroups", {
    before: (pass) => {
      counts.dispatches++;
      const name = pipelineNames.get(pass) ?? "";
      dispatchesByName.set(name, (dispatchesByName.get(name) ?? 0) + 1);
    },
  });
}

function addBuffer(result: unknown, [descriptor]: unknown[]): void {
  const { size, usage } = descriptor as GPUBufferDescriptor;
  counts.buffersCreated++;
  if ((usage & STORAGE_USAGE) === 0) return;
  storageSizes.set(result as GPUBuffer, size);
  storage.bytes += size;
  storage.peakBytes = Math.max(storage.peakBytes, storage.bytes);
  storage.sizes.push(size);
}

function removeBuffer(buffer: GPUBuffer): void {
  storage.bytes -= storageSizes.get(buffer) ?? 0;
  storageSizes.delete(buffer);
}

/** Forgets the buffers of earlier devices. */
export function restartStorage(): void {
  storage.bytes = 0;
  storage.peakBytes = 0;
  storage.sizes = [];
}

/** Totals so far. */
export function gpuCounts(): GpuCounts {
  return { ...counts };
}

/** Buffers that tensors live in; staging and uniform buffers are left out. */
export function storageBuffers(): StorageBuffers {
  return { ...storage, sizes: [...storage.sizes] };
}

/** Dispatches by operation since the last call. */
export function takeDispatchesByName(): Record<string, number> {
  const taken = Object.fromEntries([...dispatchesByName].toSorted(([, a], [, b]) => b - a));
  dispatchesByName = new Map();
  return taken;
}

/** What was added between two totals. */
export function difference(after: GpuCounts, before: GpuCounts): GpuCounts {
  return {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    bufferWrites: after.bufferWrites - before.bufferWrites,
    buffersCreated: after.buffersCreated - before.buffersCreated,
    bindGroupsCreated: after.bindGroupsCreated - before.bindGroupsCreated,
    pipelinesCreated: after.pipelinesCreated - before.pipelinesCreated,
  };
}
