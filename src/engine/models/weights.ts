/** A model's parameters by their Hugging Face names, with or without the adapters on top. */
import type { GroupAdapter } from "../kernels/groupLinear/groupLinear.ts";
import { linear } from "../kernels/linear/linear.ts";
import {
  isPackedWeight,
  isShardedWeight,
  shapeOfWeight,
  tensorsOfWeight,
  type Weight,
  type WholeWeight,
} from "../kernels/weightLayout/packedWeight.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { AdapterSum } from "./hostAdapter.ts";
import type { Stacks } from "./stacks.ts";

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
  readonly base: ReadonlyMap<string, Weight>;
  /** The same matrices group by group, as the fused layers read them; empty when there are none. */
  readonly stacks: Stacks;
  /** By module name, such as `model.layers.0.self_attn.q_proj`. */
  readonly adapters: ReadonlyMap<string, AdapterTensors>;
  /** The same adapters by the name of a group of stacked linears. */
  readonly groupAdapters: ReadonlyMap<string, GroupAdapter>;
  /** Drops inputs of adapters while training; the seed changes every forward pass. Null when scoring. */
  readonly dropout: { readonly rate: number; readonly seed: number } | null;
}

/** Adapters that stand on a model: they belong to its reference policy, and no run trains them. */
export interface Standing extends Pick<Weights, "adapters" | "groupAdapters"> {
  /** The same on the host: what a run that goes on with them starts from. */
  readonly sum: AdapterSum;
}

/** Tensors hold 32-bit numbers or words. */
const BYTES_PER_NUMBER = 4;

/** A weight that a model needs and its files do not hold. */
export class MissingWeightError extends Error {
  override name = "MissingWeightError";
}

/** The reference policy, with no second model in memory: the base, and on it only the adapters that stand there. */
export function referenceWeights({
  base,
  stacks,
  standing,
}: Pick<Weights, "base" | "stacks"> & { readonly standing?: Standing }): Weights {
  const { adapters = new Map(), groupAdapters = new Map() } = standing ?? {};
  return { base, stacks, adapters, groupAdapters, dropout: null };
}

/** Looks a vector or an unpacked matrix up by its full name; throws `MissingWeightError`. */
export function parameter(weights: Pick<Weights, "base">, name: string): Tensor {
  const weight = wholeMatrix(weights, name);
  if (isPackedWeight(weight)) throw new MissingWeightError(`"${name}" is packed in ${weight.layout}.`);
  return weight;
}

/** Looks a matrix up by its full name, packed or not, which must be in one piece; throws `MissingWeightError`. */
export function wholeMatrix(weights: Pick<Weights, "base">, name: string): WholeWeight {
  const weight = matrix(weights, name);
  if (!isShardedWeight(weight)) return weight;
  throw new MissingWeightError(
    `"${name}" is stored in ${weight.shards.length} parts, because this device cannot bind it at once; what trains must be in one piece: train adapters.`,
  );
}

/** Looks a matrix up by its full name, packed or not, in one piece or in shards; throws `MissingWeightError`. */
export function matrix({ base }: Pick<Weights, "base">, name: string): Weight {
  const weight = base.get(name);
  if (weight === undefined) throw new MissingWeightError(`The model has no weight "${name}".`);
  return weight;
}

/** Shape of a parameter whatever its layout: [outputs, inputs] of a matrix; null when there is none of that name. */
export function parameterShape({ base }: Pick<Weights, "base">, name: string): readonly number[] | null {
  const weight = base.get(name);
  if (weight === undefined) return null;
  return shapeOfWeight(weight);
}

/** Bytes that the base and the tables of a model hold on the device. */
export function modelBytes(model: Pick<Weights, "base"> & ModelTables): number {
  const held = [...model.base.values()].flatMap(tensorsOfWeight);
  const tables = [model.ropeTable, model.localRopeTable].filter((table) => table !== null);
  return [...held, ...tables].reduce((sum, { size }) => sum + BYTES_PER_NUMBER * size, 0);
}

interface ModelTables {
  readonly ropeTable: Tensor | null;
  readonly localRopeTable: Tensor | null;
}

/** How many numbers the base has. */
export function countParameters(weights: Pick<Weights, "base">): number {
  const counts = [...weights.base.keys()].map((name) =>
    (parameterShape(weights, name) ?? [0]).reduce((product, size) => product * size, 1),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * The linear named `module`, with its bias and its adapter if it has them: [rows, in] → [rows, out].
 * Every architecture gets LoRA through this function without knowing it.
 */
export function applyLinear(weights: Weights, module: string, x: Tensor): Tensor {
  const weight = wholeMatrix(weights, `${module}.weight`);
  const hasBias = weights.base.has(`${module}.bias`);
  const own = { weight, ...(hasBias ? { bias: parameter(weights, `${module}.bias`) } : {}) };
  const adapter = weights.adapters.get(module);
  if (adapter === undefined) return linear(x, own);
  const { a, b, scale } = adapter;
  if (weights.dropout === null) return linear(x, { ...own, adapter: { a, b, scale } });
  const seed = hashName(module, weights.dropout.seed);
  return linear(x, { ...own, adapter: { a, b, scale, dropout: { rate: weights.dropout.rate, seed } } });
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
