/**
 * The one place that imports the tensor runtime. Only the tape, the tensor handles and the two backend classes are
 * taken: no stock kernel and no stock gradient is registered, so no stock operation can run by accident.
 */
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu.js";
import { engine, env, registerBackend, registerGradient, registerKernel } from "@tensorflow/tfjs-core";
import type { DataType, NamedAttrMap, NamedTensorMap, Tensor, TensorInfo } from "@tensorflow/tfjs-core";

// The split-K matmul is wrong for a transposed second operand, and forwarding small inputs to the host would make a
// GPU test run in JavaScript. Neither is used here; both stay off for whoever registers stock kernels to compare.
env().set("WEBGPU_MATMUL_PROGRAM_TYPE", 3);
env().set("WEBGPU_CPU_FORWARD", false);

for (const backendName of ["webgpu", "cpu"]) {
  // Tensor.clone() runs Identity, and its tape gradient runs Cast from float32 to float32: both only share the data.
  for (const kernelName of ["Identity", "Cast"]) {
    registerKernel({ kernelName, backendName, kernelFunc: shareData });
  }
}

/** What a kernel function of the runtime is called with. */
export interface KernelCall {
  readonly inputs: NamedTensorMap | { [name: string]: TensorInfo | undefined };
  readonly backend: unknown;
  readonly attrs?: NamedAttrMap;
}

function shareData({ inputs, backend, attrs }: KernelCall): TensorInfo {
  const x = inputs["x"];
  if (x === undefined) throw new Error("Identity and Cast need an input x");
  const dtype = attrs?.["dtype"] ?? x.dtype;
  if (dtype !== x.dtype) throw new Error(`Cast from ${x.dtype} to another type is not available`);
  (backend as { incRef(dataId: object): void }).incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}

export { engine, MathBackendCPU, registerBackend, registerGradient, registerKernel, WebGPUBackend };
export type { DataType, NamedAttrMap, NamedTensorMap, Tensor, TensorInfo };
