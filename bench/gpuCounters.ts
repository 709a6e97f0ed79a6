/** Counts what reaches WebGPU by wrapping its prototypes, so that no layer above it can miscount. */

/** Totals since `startGpuCounters`, over all devices. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly passes: number;
  readonly createBuffer: number;
  readonly createBindGroup: number;
  readonly createPipeline: number;
  readonly writeBuffer: number;
  /** Bytes of all buffers that were created. */
  readonly bytesAllocated: number;
  /** Milliseconds in which the host did nothing but wait for the device. */
  readonly waitedMs: number;
}

/** The buffers of one device that tensors can live in. */
export interface StorageBuffers {
  /** Bytes that exist now, and most that ever existed at once. */
  readonly bytes: number;
  readonly peakBytes: number;
  /** Sizes in bytes of all that were ever created. */
  readonly sizes: readonly number[];
}

const STORAGE_USAGE = 0x80;

const counts = {
  dispatches: 0,
  submits: 0,
  passes: 0,
  createBuffer: 0,
  createBindGroup: 0,
  createPipeline: 0,
  writeBuffer: 0,
  bytesAllocated: 0,
  waitedMs: 0,
};

interface Storage {
  bytes: number;
  peakBytes: number;
  sizes: number[];
}

const storages = new WeakMap<GPUDevice, Storage>();
const owners = new WeakMap<GPUBuffer, { readonly storage: Storage; readonly size: number }>();
const pipelineNames = new WeakMap<GPUComputePassEncoder, string>();
let dispatchesByName = new Map<string, number>();
let isWrapped = false;
let waiting = 0;
let waitingSinceMs = 0;

type Method = (...args: never[]) => unknown;

/** Replaces a method by one that first calls `before` and then, with the result, `after`. */
function wrap<T extends object>(
  prototype: T,
  name: keyof T,
  watch: {
    before?: (self: T, args: unknown[]) => void;
    after?: (self: T, result: unknown, args: unknown[]) => void;
  },
): void {
  const original = prototype[name] as Method;
  const wrapped = function (this: T, ...args: unknown[]): unknown {
    watch.before?.(this, args);
    const result = Reflect.apply(original, this, args) as unknown;
    watch.after?.(this, result, args);
    return result;
  };
  Object.defineProperty(prototype, name, { value: wrapped, configurable: true, writable: true });
}

/** Starts counting; further calls change nothing. */
export function startGpuCounters(): void {
  if (isWrapped) return;
  isWrapped = true;
  wrap(GPUDevice.prototype, "createBuffer", { after: addBuffer });
  wrap(GPUBuffer.prototype, "destroy", { before: removeBuffer });
  wrap(GPUDevice.prototype, "createBindGroup", { before: () => counts.createBindGroup++ });
  wrap(GPUDevice.prototype, "createComputePipeline", { before: () => counts.createPipeline++ });
  wrap(GPUDevice.prototype, "createComputePipelineAsync", { before: () => counts.createPipeline++ });
  wrap(GPUQueue.prototype, "submit", { before: () => counts.submits++ });
  wrap(GPUQueue.prototype, "writeBuffer", { before: () => counts.writeBuffer++ });
  wrap(GPUCommandEncoder.prototype, "beginComputePass", { before: () => counts.passes++ });
  wrap(GPUBuffer.prototype, "mapAsync", { after: (_, result) => wait(result as Promise<unknown>) });
  wrap(GPUQueue.prototype, "onSubmittedWorkDone", { after: (_, result) => wait(result as Promise<unknown>) });
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

/** Whoever asks for one of these promises has nothing else to do; overlapping waits count once. */
function wait(promise: Promise<unknown>): void {
  if (waiting++ === 0) waitingSinceMs = performance.now();
  const end = (): void => {
    if (--waiting === 0) counts.waitedMs += performance.now() - waitingSinceMs;
  };
  promise.then(end, end);
}

function addBuffer(device: GPUDevice, result: unknown, [descriptor]: unknown[]): void {
  const { size, usage } = descriptor as GPUBufferDescriptor;
  counts.createBuffer++;
  counts.bytesAllocated += size;
  if ((usage & STORAGE_USAGE) === 0) return;
  const storage = storages.get(device) ?? { bytes: 0, peakBytes: 0, sizes: [] };
  storages.set(device, storage);
  owners.set(result as GPUBuffer, { storage, size });
  storage.bytes += size;
  storage.peakBytes = Math.max(storage.peakBytes, storage.bytes);
  storage.sizes.push(size);
}

function removeBuffer(buffer: GPUBuffer): void {
  const owner = owners.get(buffer);
  if (owner === undefined) return;
  owner.storage.bytes -= owner.size;
  owners.delete(buffer);
}

/** Totals so far. */
export function gpuCounts(): GpuCounts {
  return { ...counts };
}

/** Buffers of a device that tensors live in; staging and uniform buffers are left out. */
export function storageBuffers(device: GPUDevice | null): StorageBuffers {
  const { bytes, peakBytes, sizes } = (device === null ? undefined : storages.get(device)) ?? {
    bytes: 0,
    peakBytes: 0,
    sizes: [],
  };
  return { bytes, peakBytes, sizes: [...sizes] };
}

/** Dispatches by operation since the last call. */
export function takeDispatchesByName(): Record<string, number> {
  const taken = Object.fromEntries([...dispatchesByName].toSorted(([, a], [, b]) => b - a));
  dispatchesByName = new Map();
  return taken;
}

/** What was added between two totals. */
export function difference(after: GpuCounts, before: GpuCounts): GpuCounts {
  const entries = Object.entries(after).map(([name, total]: [string, number]) => [
    name,
    total - before[name as keyof GpuCounts],
  ]);
  return Object.fromEntries(entries) as GpuCounts;
}
