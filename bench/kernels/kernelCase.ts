/** What a kernel of the benchmark is. */
import { createRandom } from "../../src/engine/data/random.ts";
import type { Tensor } from "../../src/engine/tensor/tfjs.ts";
import type * as stockKernels from "../stock/stockKernels.ts";
import type * as stockRows from "../stock/stockRows.ts";

/** What a call computes; whoever called it disposes it. */
export type Outputs = readonly Tensor[];

/** The compositions of stock operations, which are loaded late. */
export type StockKernels = typeof stockKernels & typeof stockRows;

/** What a case makes its inputs with. */
export interface KernelInputs {
  readonly tensor: (values: Float32Array | Int32Array, shape: readonly number[]) => Tensor;
  /** Frees a tensor when the case is over. */
  readonly keep: (made: Tensor) => Tensor;
  readonly stock: StockKernels;
}

/** One kernel at one shape; both sides give the same results in the same order. */
export interface KernelCase {
  readonly name: string;
  readonly shape: string;
  readonly flops: number;
  /** Nothing but a product of matrices, whose rate says what the device can do. */
  readonly isMatmul?: boolean;
  readonly open: (inputs: KernelInputs) => { readonly own: () => Outputs; readonly tfjs: () => Outputs };
}

/** Normally distributed values, the same for the same seed. */
export function gaussians(shape: readonly number[], seed: number, spread = 1): Float32Array {
  const random = createRandom(seed);
  const length = shape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length }, () => spread * random.gaussian());
}
