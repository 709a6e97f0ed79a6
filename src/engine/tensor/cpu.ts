/** The runtime's cpu backend, on which an operation runs its plain-loop oracle. */
import type { Floats, Op, Shape, Values } from "./op.ts";
import { notePlannedFree } from "./planning.ts";
import { isInteger, sizeOf } from "./shader.ts";
import { MathBackendCPU } from "./tfjs.ts";
import type { TensorInfo } from "./tfjs.ts";

/** The runtime's cpu backend with direct access to the arrays of its tensors. */
export class CpuBackend extends MathBackendCPU {
  constructor() {
    super();
    // Otherwise the first write in Node prints an advertisement.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  /** The array of a tensor itself, not a copy. */
  arrayOf(dataId: object): Float32Array | Int32Array {
    const { values } = this.data.get(dataId);
    if (values instanceof Float32Array || values instanceof Int32Array) return values;
    throw new Error("tensor has no array");
  }

  /** A tensor on part of another's array, from `offset` (elements) on. */
  makeView(source: TensorInfo, offset: number, shape: Shape): TensorInfo {
    const part = this.arrayOf(source.dataId).subarray(offset, offset + sizeOf(shape));
    return this.makeTensorInfo([...shape], source.dtype, part);
  }

  /** Bytes from the beginning of the array that a view lies in; 0 for others. */
  offsetOf(dataId: object): number {
    return this.arrayOf(dataId).byteOffset;
  }

  /** Called by the runtime when a handle is freed. */
  override disposeData(dataId: object, isForced = false): boolean {
    const isFreed = super.disposeData(dataId, isForced);
    if (isFreed) notePlannedFree(dataId);
    return isFreed;
  }

  /** Whether this backend holds the data. */
  holds(dataId: object): boolean {
    return this.data.has(dataId);
  }
}

/** Runs an operation's oracle on tensors of the cpu backend. */
export function runOnCpu<A extends object>(
  backend: CpuBackend,
  op: Op<A>,
  { inputs, attrs }: { inputs: readonly TensorInfo[]; attrs: A },
): TensorInfo[] {
  const shapes = inputs.map(({ shape }) => shape);
  const outputShapes = op.outputShapes(shapes, attrs);
  const outputs = allocateOutputs(op, outputShapes, attrs);
  op.cpu(
    inputs.map(({ dataId }) => backend.arrayOf(dataId)),
    outputs as readonly Values[] as readonly Floats[],
    shapes,
    attrs,
  );
  return outputs.map((values, index) => {
    const dtype = values instanceof Int32Array ? "int32" : "float32";
    return backend.makeTensorInfo([...(outputShapes[index] ?? [])], dtype, values);
  });
}

/** Zeroed arrays for the outputs of an operation, of the types a backend uses. */
export function allocateOutputs<A extends object>(
  op: Op<A>,
  shapes: readonly Shape[],
  attrs: A,
): (Float32Array | Int32Array)[] {
  const bindings = op.outputs(attrs);
  if (bindings.length !== shapes.length) {
    throw new Error(`${op.name} declares ${bindings.length} outputs and shapes of ${shapes.length}`);
  }
  return bindings.map((binding, index) => {
    const size = sizeOf(shapes[index] ?? []);
    return isInteger(binding) ? new Int32Array(size) : new Float32Array(size);
  });
}
