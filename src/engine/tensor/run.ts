/** Runs operations on the active backend, and makes, reads, changes and frees tensors. */
import { BINDING_ALIGNMENT } from "./bufferRange.ts";
import { CpuBackend, runOnCpu } from "./cpu.ts";
import { GpuBackend } from "./dispatch.ts";
import type { Op, Shape, Values } from "./op.ts";
import { ShapeError } from "./op.ts";
import { checkInputs, isInteger, shaderOf, sizeOf } from "./shader.ts";
import { activePlanner, Planner, withPlanner, type Plan } from "./planning.ts";
import { engine, registerGradient, registerKernel } from "./tfjs.ts";
import type { NamedAttrMap, NamedTensorMap, Tensor, TensorInfo } from "./tfjs.ts";

/** The tape saves all outputs of an operation; no operation has more. */
const SAVE_ALL_OUTPUTS: boolean[] = Array.from({ length: 8 }, () => true);

const registered = new Map<string, unknown>();

/**
 * Runs `op` on tensors of the active backend, given in binding order, and records it on the tape when one is open and
 * `op` has a gradient. Throws `ShapeError` for inputs that do not fit.
 */
export function run<A extends object>(op: Op<A>, inputs: readonly Tensor[], attrs: A): Tensor[] {
  register(op);
  checkInputs(op.name, op.inputs(attrs), inputs);
  const backend = activeBackend();
  for (const [place, { name, isMutable }] of op.inputs(attrs).entries()) {
    const dataId = inputs[place]?.dataId;
    if (dataId === undefined || !backend.holds(dataId))
      throw new Error(`${op.name}: an input is disposed or of another backend`);
    const offset = isMutable === true && activePlanner() === null ? backend.offsetOf(dataId) : 0;
    if (offset % BINDING_ALIGNMENT !== 0) {
      throw new ShapeError(
        `${op.name} writes ${name}, a view from byte ${offset} on; that must be a multiple of ${BINDING_ALIGNMENT}`,
      );
    }
  }
  // An array works as a map from "0", "1", ... and lets the tape save inputs by position.
  const named = [...inputs] as unknown as NamedTensorMap;
  const outputs: Tensor | Tensor[] = engine().runKernel(
    kernelName(op.name),
    named,
    attrs as unknown as NamedAttrMap,
  );
  return Array.isArray(outputs) ? outputs : [outputs];
}

function kernelName(name: string): string {
  return `ps.${name}`;
}

function register<A extends object>(op: Op<A>): void {
  const known = registered.get(op.name);
  if (known === op) return;
  if (known !== undefined) throw new Error(`two operations are called ${op.name}`);
  registered.set(op.name, op);
  for (const backendName of ["webgpu", "cpu"]) {
    registerKernel({
      kernelName: kernelName(op.name),
      backendName,
      kernelFunc: (call) =>
        runKernel(op, Object.values(call.inputs) as TensorInfo[], call.attrs as unknown as A),
    });
  }
  const { gradient } = op;
  if (gradient === undefined) return;
  registerGradient({
    kernelName: kernelName(op.name),
    saveAllInputs: true,
    outputsToSave: SAVE_ALL_OUTPUTS,
    gradFunc: (dy, saved, kernelAttrs) => {
      const attrs = kernelAttrs as unknown as A;
      const names = op.inputs(attrs).map(({ name }) => name);
      const dys = Array.isArray(dy) ? dy : [dy];
      const byName = gradient(dys, saved.slice(0, names.length), saved.slice(names.length), attrs);
      const entries = names.map(
        (name, index) => [String(index), closureOf(op.name, name, byName[name])] as const,
      );
      return Object.fromEntries(entries);
    },
  });
}

function closureOf(operation: string, name: string, closure: (() => Tensor) | undefined): () => Tensor {
  if (closure !== undefined) return closure;
  return () => {
    throw new Error(`${operation} has no gradient for ${name}`);
  };
}

function runKernel<A extends object>(op: Op<A>, inputs: readonly TensorInfo[], attrs: A): TensorInfo[] {
  const backend = activeBackend();
  const planner = activePlanner();
  if (backend instanceof CpuBackend && planner === null) return runOnCpu(backend, op, { inputs, attrs });
  const shapes = inputs.map(({ shape }) => shape);
  const bindings = op.outputs(attrs);
  const outputs = op.outputShapes(shapes, attrs).map((shape, index): TensorInfo => {
    const binding = bindings[index];
    if (binding === undefined) throw new Error(`${op.name} declares ${bindings.length} outputs`);
    return backend.makeTensorInfo([...shape], isInteger(binding) ? "int32" : "float32");
  });
  if (planner !== null) {
    planner.dispatches++;
    return outputs.map((output) => planner.place(output, output.shape));
  }
  if (backend instanceof GpuBackend) backend.dispatch(shaderOf(op, shapes, attrs), [...outputs, ...inputs]);
  return outputs;
}

/** The backend tensors are made on and operations run on; throws when no device is open. */
export function activeBackend(): GpuBackend | CpuBackend {
  const runtime = engine();
  // The runtime would otherwise complain about its own settings.
  if (runtime.backendNames().length === 0) throw new Error("no device is open");
  const { backend } = runtime;
  if (backend instanceof GpuBackend || backend instanceof CpuBackend) return backend;
  throw new Error("no device is open");
}

/** Name of the active backend. */
export function backendName(): "webgpu" | "cpu" {
  return activeBackend() instanceof GpuBackend ? "webgpu" : "cpu";
}

/** Whether operations run on a software GPU, where a workgroup barrier costs more than idle invocations. */
export function isSoftwareGpu(): boolean {
  const backend = activeBackend();
  return backend instanceof GpuBackend && backend.isSoftware;
}

/** Whether shaders may use 16-bit floats (`enable f16;`). */
export function hasNativeHalf(): boolean {
  const backend = activeBackend();
  return backend instanceof GpuBackend && backend.device.features.has("shader-f16");
}

/** Bytes of the largest tensor that an operation can read or write; on the cpu there is no limit. */
export function largestBinding(): number {
  const backend = activeBackend();
  return backend instanceof GpuBackend
    ? backend.device.limits.maxStorageBufferBindingSize
    : Number.POSITIVE_INFINITY;
}

/**
 * Makes a tensor with a copy of `values`: float32 from numbers and float arrays, int32 from integer arrays (unsigned
 * words keep their bits). Throws `ShapeError` when the count is not the shape's.
 */
export function tensor(values: Values | Uint32Array | readonly number[], shape: Shape): Tensor {
  const data = toData(values);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${data.length} values do not fill the shape [${shape.join(", ")}]`);
  }
  const backend = activeBackend();
  const dtype = data instanceof Int32Array ? "int32" : "float32";
  const planned = plannedTensor(shape, dtype);
  if (planned !== null) return planned;
  if (backend instanceof CpuBackend) {
    return track(backend.makeTensorInfo([...shape], dtype, isShared(data, values) ? data.slice() : data));
  }
  const info = backend.makeTensorInfo([...shape], dtype);
  backend.placeForGood(info.dataId);
  backend.writeData(info.dataId, data);
  return track(info);
}

/** Makes a tensor of zeros. */
export function zeros(shape: Shape, dtype: "float32" | "int32" = "float32"): Tensor {
  const backend = activeBackend();
  const planned = plannedTensor(shape, dtype);
  if (planned !== null) return planned;
  if (backend instanceof CpuBackend) {
    const size = sizeOf(shape);
    const data = dtype === "int32" ? new Int32Array(size) : new Float32Array(size);
    return track(backend.makeTensorInfo([...shape], dtype, data));
  }
  const info = backend.makeTensorInfo([...shape], dtype);
  backend.placeForGood(info.dataId);
  backend.clearData(info.dataId);
  return track(info);
}

/** Longest that work on the cpu keeps other tasks waiting, such as messages and signs of life. */
const LONGEST_TURN_MS = 100;
let turnStartedMs = 0;

/** Reads a tensor; rejects with the typed device error when one has occurred since errors were last taken. */
export async function read(source: Tensor): Promise<Float32Array | Int32Array> {
  const backend = activeBackend();
  if (!(backend instanceof CpuBackend)) return backend.readData(source.dataId);
  const values = backend.arrayOf(source.dataId).slice();
  await giveWay();
  return values;
}

/** Waits until the device has done all that it was told; throws its first error that nobody has taken. */
export async function settle(): Promise<void> {
  const backend = activeBackend();
  if (backend instanceof CpuBackend) return;
  await backend.settled();
  await backend.queue.onSubmittedWorkDone();
  backend.errors.throwFirst();
}

/** Between two parts of long work: on the cpu other tasks have their turn; a GPU keeps no task waiting. */
export async function giveWay(): Promise<void> {
  if (!(activeBackend() instanceof CpuBackend)) return;
  if (performance.now() - turnStartedMs <= LONGEST_TURN_MS) return;
  await new Promise((resolve) => setTimeout(resolve));
  turnStartedMs = performance.now();
}

/** Overwrites the contents of a tensor in place; throws `ShapeError` when the count differs. */
export function write(target: Tensor, values: Values | Uint32Array | readonly number[]): void {
  const data = toData(values);
  const dtype = data instanceof Int32Array ? "int32" : "float32";
  if (data.length !== target.size || dtype !== target.dtype) {
    throw new ShapeError(`${data.length} ${dtype} values do not fit ${target.size} of ${target.dtype}`);
  }
  if (activePlanner() !== null) return;
  const backend = activeBackend();
  if (backend instanceof CpuBackend) backend.arrayOf(target.dataId).set(data);
  else backend.writeData(target.dataId, data);
}

/** Fills a tensor with zeros in place. */
export function clear(target: Tensor): void {
  if (activePlanner() !== null) return;
  const backend = activeBackend();
  if (backend instanceof CpuBackend) backend.arrayOf(target.dataId).fill(0);
  else backend.clearData(target.dataId);
}

/** Makes a tensor with its own copy of another's contents. */
export function copy(source: Tensor): Tensor {
  const planned = plannedTensor(source.shape, source.dtype === "int32" ? "int32" : "float32");
  if (planned !== null) return planned;
  const backend = activeBackend();
  if (backend instanceof CpuBackend) return tensor(backend.arrayOf(source.dataId), source.shape);
  const info = backend.makeTensorInfo(source.shape, source.dtype);
  backend.copyData(source.dataId, info.dataId);
  return track(info);
}

/** A second handle of another shape on the same contents; throws `ShapeError` when the sizes differ. */
export function reshape(source: Tensor, shape: Shape): Tensor {
  if (sizeOf(shape) !== source.size) {
    throw new ShapeError(`${source.size} values do not fill the shape [${shape.join(", ")}]`);
  }
  activeBackend().incRef(source.dataId);
  return track({ dataId: source.dataId, shape: [...shape], dtype: source.dtype });
}

/**
 * A handle on part of another tensor's contents, from element `offset` on: changes of one show in the other. The
 * contents live as long as either handle. An operation that writes a view needs an `offset` that is a multiple of 64;
 * one that reads it does not, but then copies it first. Throws `ShapeError` when the part is not inside the other.
 */
export function view(source: Tensor, offset: number, shape: Shape): Tensor {
  const size = sizeOf(shape);
  if (!Number.isInteger(offset) || offset < 0 || size < 1 || offset + size > source.size) {
    throw new ShapeError(`${size} values from ${offset} on are not inside ${source.size}`);
  }
  const backend = activeBackend();
  if (!backend.holds(source.dataId))
    throw new Error("the source of a view is disposed or of another backend");
  // A planned view takes no place of its own; what it looks into outlives it.
  if (activePlanner() !== null) return track(backend.makeTensorInfo([...shape], source.dtype));
  return track(backend.makeView(source, offset, shape));
}

/** Runs `work` and frees every tensor made in it except those it returns. */
export function tidy<T>(work: () => T): T {
  const state = engine();
  state.startScope("tidy");
  let result: T | undefined;
  try {
    result = work();
    return result;
  } finally {
    state.endScope(result as Parameters<typeof state.endScope>[0]);
  }
}

/** Frees tensors; the next ones may use their buffers at once, because commands run in the order of recording. */
export function dispose(tensors: Tensor | readonly Tensor[]): void {
  for (const each of Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor])
    each.dispose();
}

/** Gives the memory of freed tensors back to the device, where it would otherwise wait to be used again. */
export function trimMemory(): void {
  // A device that is closed has nothing to give back.
  if (engine().backendNames().length === 0) return;
  const backend = activeBackend();
  if (backend instanceof GpuBackend) backend.trim();
}

/** What tensors hold now; device bytes are 0 on the cpu backend. */
export interface Memory {
  readonly numTensors: number;
  /** Bytes of all tensor handles; handles that share contents, such as views, count each. */
  readonly numBytes: number;
  /** Device bytes in use, and held including the pool of free buffers; arenas are in use as a whole. */
  readonly numBytesInGpu: number;
  readonly numBytesAllocatedInGpu: number;
}

/** Counts tensors and bytes. */
export function memory(): Memory {
  const { numTensors, numBytes } = engine().memory();
  const backend = activeBackend();
  if (backend instanceof CpuBackend)
    return { numTensors, numBytes, numBytesInGpu: 0, numBytesAllocatedInGpu: 0 };
  const { numBytesInGPU, numBytesAllocatedInGPU } = backend.memory();
  const arenaBytes = [...backend.arenas].reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    numTensors,
    numBytes,
    numBytesInGpu: numBytesInGPU + arenaBytes,
    numBytesAllocatedInGpu: numBytesAllocatedInGPU + arenaBytes,
  };
}

/**
 * What `work` would hold on a device beside the tensors that are there already, and its dispatches. Nothing is computed:
 * the tensors it makes have no contents and are freed, and what it writes stays as it was. It must not read or wait.
 */
export function plan(work: () => void): Plan {
  const planner = new Planner();
  withPlanner(planner, () => tidy(() => work()));
  const { bytes, largestBytes, dispatches } = planner;
  return { bytes, largestBytes, dispatches };
}

function plannedTensor(shape: Shape, dtype: "float32" | "int32"): Tensor | null {
  const planner = activePlanner();
  if (planner === null) return null;
  return track(planner.place(activeBackend().makeTensorInfo([...shape], dtype), shape));
}

function track(info: TensorInfo): Tensor {
  return engine().makeTensorFromTensorInfo(info);
}

type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

function toData(values: Values | Uint32Array | readonly number[]): Data {
  if (values instanceof Float32Array || values instanceof Int32Array) return values as Data;
  if (values instanceof Uint32Array)
    return new Int32Array(values.buffer as ArrayBuffer, values.byteOffset, values.length);
  return Float32Array.from(values);
}

function isShared(data: Data, values: object): boolean {
  return data === values || values instanceof Uint32Array;
}
