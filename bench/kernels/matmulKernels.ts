/** The three forms of the matrix product. */
import { matmul } from "../../src/engine/kernels/matmul/matmul.ts";
import type { MatmulForm } from "../../src/engine/kernels/matmul/matmul.wgsl.ts";
import { gaussians, type KernelCase } from "./kernelCase.ts";

type Sizes = readonly [number, number];

function product(name: string, form: MatmulForm, a: Sizes, b: Sizes): KernelCase {
  const inner = form === "atb" ? a[0] : a[1];
  return {
    name: `matmul: ${name}`,
    shape: `${form}, ${a.join("x")} and ${b.join("x")}`,
    flops: (2 * a[0] * a[1] * b[0] * b[1]) / inner,
    isMatmul: true,
    open: ({ tensor, stock }) => {
      const left = tensor(gaussians(a, 1), a);
      const right = tensor(gaussians(b, 2), b);
      return {
        own: () => [matmul(left, right, { form })],
        tfjs: () => [stock.stockMatmul(left, right, form)],
      };
    },
  };
}

/** At the shapes of the embedded model, and two of larger models: one for software, one that fills a GPU. */
export const matmulKernels: readonly KernelCase[] = [
  product("gate", "abt", [512, 96], [256, 96]),
  product("down", "abt", [512, 256], [96, 256]),
  product("input gradient of down", "ab", [512, 96], [96, 256]),
  product("weight gradient of gate", "atb", [512, 256], [512, 96]),
  product("gate at hidden 576", "abt", [32, 576], [1536, 576]),
  product("gate at hidden 768", "abt", [2048, 768], [2048, 768]),
];
