/** Low-rank adapters on the host, before they are on the device or on their way into a file. */
import type { NamedArray } from "../files/safetensors.ts";
import type { ModelConfig } from "./config.ts";
import { expectedShapes } from "./parameterNames.ts";

/** One low-rank adapter: it adds `(x Aᵀ) Bᵀ`, times whatever scale belongs to it. */
export interface HostAdapter {
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
  readonly rank: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** Adapters by the decoder's module names, with every scale within B; ranks may differ from module to module. */
export type AdapterSum = ReadonlyMap<string, HostAdapter>;

/** A sum by the names of its factors, `<module>.lora_A.weight` and `<module>.lora_B.weight`. */
export function namedSum(sum: AdapterSum): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  for (const [module, { a, b, rank, inputs, outputs }] of sum) {
    arrays.set(`${module}.lora_A.weight`, { shape: [rank, inputs], values: a });
    arrays.set(`${module}.lora_B.weight`, { shape: [outputs, rank], values: b });
  }
  return arrays;
}

/** The same function with an adapter, if need be of zeros, on each of its linears in each of its layers, as PEFT has them. */
export function evenSum(sum: AdapterSum, config: ModelConfig): AdapterSum {
  const parts = [...sum.keys()].map((module) => /^model\.layers\.(\d+)\.(.+)$/.exec(module));
  const [layers, linears] = [1, 2].map((place) => new Set(parts.flatMap((part) => part?.[place] ?? [])));
  const shapes = expectedShapes(config);
  const even = new Map<string, HostAdapter>();
  for (const layer of layers ?? []) {
    for (const linear of linears ?? []) {
      const module = `model.layers.${layer}.${linear}`;
      const [outputs = 0, inputs = 0] = shapes.get(`${module}.weight`) ?? [];
      const nothing = { a: new Float32Array(inputs), b: new Float32Array(outputs), rank: 1, inputs, outputs };
      even.set(module, sum.get(module) ?? nothing);
    }
  }
  return even;
}
