/**
 * Linears that read the same rows, stacked into one matrix, so that one dispatch computes them all: queries, keys and
 * values; gate and up. A stack of one is the matrix itself.
 */
import type { NamedArray } from "../files/safetensors.ts";
import { isPackedWeight, packWeight, type Weight } from "../kernels/weightLayout/packedWeight.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { dispose, tensor, view } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { ModelConfig } from "./config.ts";

/** A group of linears by name, with its members in stacking order. */
export interface LinearGroup {
  readonly name: string;
  /** Module names, such as `model.layers.0.self_attn.q_proj`. */
  readonly modules: readonly string[];
}

/** Matrices of a group one after another, [out, in], with their biases [out] where they have any. */
export interface Stack {
  readonly weight: Weight;
  readonly bias: Tensor | null;
}

/** Stacks by the name of their group. */
export type Stacks = ReadonlyMap<string, Stack>;

/** The four groups of one layer; names are used as keys only. */
export interface LayerGroups {
  readonly qkv: LinearGroup;
  readonly o: LinearGroup;
  readonly gateUp: LinearGroup;
  readonly down: LinearGroup;
}

/** Groups of one layer. */
export function layerGroups(layer: number): LayerGroups {
  const prefix = `model.layers.${layer}`;
  const group = (name: string, ...members: readonly string[]): LinearGroup => ({
    name: `${prefix}.${name}`,
    modules: members.map((member) => `${prefix}.${member}_proj`),
  });
  return {
    qkv: group("qkv", "self_attn.q", "self_attn.k", "self_attn.v"),
    o: group("o", "self_attn.o"),
    gateUp: group("gateUp", "mlp.gate", "mlp.up"),
    down: group("down", "mlp.down"),
  };
}

/** Groups of all layers, in layer order. */
export function linearGroups({ layers }: ModelConfig): LinearGroup[] {
  return Array.from(
    { length: layers },
    (_, layer) => Object.values(layerGroups(layer)) as LinearGroup[],
  ).flat();
}

/** A model's parameters on the device: those of groups stacked, with every member as a range of its stack. */
export interface UploadedWeights {
  readonly base: ReadonlyMap<string, Weight>;
  readonly stacks: Stacks;
}

/**
 * Puts parameters on the device in the order of their names. Matrices are stored in `layout`, vectors in float32. A
 * group is stacked when all of its matrices are there.
 */
export function uploadWeights(
  config: ModelConfig,
  arrays: ReadonlyMap<string, NamedArray>,
  layout: WeightLayout,
): UploadedWeights {
  const stacks = new Map<string, Stack>();
  const members = new Map<string, Weight>();
  const uploaded = ({ values, shape }: NamedArray): Weight => {
    const [outputs = 0, inputs] = shape;
    return layout === "f32" || inputs === undefined
      ? tensor(values, shape)
      : packWeight(values, [outputs, inputs], layout);
  };
  for (const { name: group, modules } of linearGroups(config)) {
    const found = modules
      .map((module) => arrays.get(`${module}.weight`))
      .filter((array) => array !== undefined);
    if (found.length < modules.length) continue;
    const biases = modules
      .map((module) => arrays.get(`${module}.bias`))
      .filter((array) => array !== undefined);
    const weight = uploaded(joined(found));
    const bias = biases.length < modules.length ? null : (uploaded(joined(biases)) as Tensor);
    stacks.set(group, { weight, bias });
    let first = 0;
    modules.forEach((module, index) => {
      const count = found[index]?.shape[0] ?? 0;
      members.set(`${module}.weight`, rowsOf(weight, first, count));
      if (bias !== null) members.set(`${module}.bias`, view(bias, first, [count]));
      first += count;
    });
  }
  const base = new Map([...arrays].map(([name, array]) => [name, members.get(name) ?? uploaded(array)]));
  return { base, stacks };
}

/** Frees uploaded weights. */
export function disposeWeights({ base, stacks }: UploadedWeights): void {
  for (const weight of base.values()) dispose(isPackedWeight(weight) ? weight.words : weight);
  for (const { weight, bias } of stacks.values()) {
    dispose(isPackedWeight(weight) ? weight.words : weight);
    bias?.dispose();
  }
}

/** Arrays one after another along their first axis. */
function joined(arrays: readonly NamedArray[]): NamedArray {
  const rows = arrays.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const values = new Float32Array(arrays.reduce((sum, array) => sum + array.values.length, 0));
  let at = 0;
  for (const array of arrays) {
    values.set(array.values, at);
    at += array.values.length;
  }
  return { shape: [rows, ...(arrays[0]?.shape.slice(1) ?? [])], values };
}

/** Some rows of a matrix, as a weight that shares its memory. */
function rowsOf(weight: Weight, first: number, count: number): Weight {
  if (!isPackedWeight(weight)) {
    const width = weight.shape[1] ?? 0;
    return view(weight, first * width, [count, width]);
  }
  const words = weight.words.shape[1] ?? 0;
  return { ...weight, outputs: count, words: view(weight.words, first * words, [count, words]) };
}
