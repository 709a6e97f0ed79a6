/** The one file that runs stock operations of the tensor runtime: what our own are compared with. */
import { batchMatMulConfig } from "@tensorflow/tfjs-backend-webgpu/dist/kernels/BatchMatMul.js";
import { env, matMul, registerKernel } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { MatmulForm } from "../src/engine/kernels/matmul/matmul.wgsl.ts";
import type { Tensor } from "../src/engine/tensor/tfjs.ts";

registerKernel(batchMatMulConfig);

/** The program that the engine's design compares with; the others are slower or wrong. */
export function stockProgramType(): number {
  return env().getNumber("WEBGPU_MATMUL_PROGRAM_TYPE");
}

/** The same product as our `matmul`, by the runtime's own kernel. */
export function stockMatmul(a: Tensor, b: Tensor, form: MatmulForm): Tensor {
  return matMul(a as Tensor2D, b as Tensor2D, form === "atb", form === "abt");
}
