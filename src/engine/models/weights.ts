/** A model's parameters by their Hugging Face names, with or without the adapters on top. */
import { linear } from "../kernels/linear/linear.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** One low-rank adapter: adds `scale · (x Aᵀ) Bᵀ` to the linear it is named for. */
export interface AdapterTensors {
  /** [rank, in] */
  readonly a: Tensor;
  /** [out, rank] */
  readonly b: Tensor;
  /** alpha / rank */
  readonly scale: number;
}

/** Everything a forward pass reads. */
export interface Weights {
  readonly base: ReadonlyMap<string, Tensor>;
  /** By module name, such as `model.layers.0.self_attn.q_proj`. */
  readonly adapters: ReadonlyMap<string, AdapterTensors>;
  /** Drops inputs of adapters while training; the seed changes every forward pass. Null when scoring. */
  readonly dropout: { readonly rate: number; readonly seed: number } | null;
}

/** A weight that a model needs and its files do not hold. */
export class MissingWeightError extends Error {
  override name = "MissingWeightError";
}

/** The base alone, adapters off: the reference policy, with no second model in memory. */
export function withoutAdapters(base: ReadonlyMap<string, Tensor>): Weights {
  return { base, adapters: new Map(), dropout: null };
}

/** The same weights with adapter dropout for one forward pass. */
export function withDropout(weights: Weights, dropout: Weights["dropout"]): Weights {
  return { ...weights, dropout };
}

/** Looks a parameter up by its full name; throws `MissingWeightError`. */
export function parameter(weights: Weights, name: string): Tensor {
  const tensor = weights.base.get(name);
  if (tensor === undefined) throw new MissingWeightError(`The model has no weight "${name}".`);
  return tensor;
}

/**
 * The linear named `module`, with its adapter if it has one: [rows, in] → [rows, out].
 * Every architecture gets LoRA through this function without knowing it.
 */
export function applyLinear(weights: Weights, module: string, x: Tensor): Tensor {
  const weight = parameter(weights, `${module}.weight`);
  const adapter = weights.adapters.get(module);
  if (adapter === undefined) return linear(x, { weight });
  const { a, b, scale } = adapter;
  if (weights.dropout === null) return linear(x, { weight, adapter: { a, b, scale } });
  const seed = hashName(module, weights.dropout.seed);
  return linear(x, { weight, adapter: { a, b, scale, dropout: { rate: weights.dropout.rate, seed } } });
}

/** FNV-1a over the name, so that every module drops different inputs under one seed. */
function hashName(name: string, seed: number): number {
  const offsetBasis = 0x811c9dc5;
  const prime = 0x01000193;
  let hash = (offsetBasis ^ seed) >>> 0;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), prime) >>> 0;
  }
  return hash;
}
