/**
 * Linears that read the same rows, stacked into one matrix, so that one dispatch computes them all: queries, keys and
 * values; gate and up. A stack of one is the matrix itself.
 */
import type { NamedArray } from "../files/safetensors.ts";
import {
  isPackedWeight,
  packShards,
  packWeight,
  tensorsOfWeight,
  type Weight,
  type WholeWeight,
} from "../kernels/weightLayout/packedWeight.ts";
import { bytesPerRow, type WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { GpuOutOfMemoryError } from "../tensor/errors.ts";
import { dispose, largestBinding, tensor, view } from "../tensor/run.ts";
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
  readonly weight: WholeWeight;
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

/** How parameters are put on the device. */
export interface UploadOptions {
  /** How matrices are stored; vectors are float32. */
  readonly layout: WeightLayout;
  /** Bytes that the device can bind at once; what it says itself when left out. */
  readonly largestBytes?: number;
}

/** A matrix that this device cannot read in one piece, though it must. */
export class WeightTooLargeError extends GpuOutOfMemoryError {
  override name = "WeightTooLargeError";
}

/**
 * Puts parameters on the device in the order of their names. A group is stacked when all of its matrices are there and
 * the device can bind the stack. The embedding and the head are stored in shards when it cannot bind them whole; throws
 * `WeightTooLargeError` for any other such matrix, before anything is on the device.
 */
export function uploadWeights(
  config: ModelConfig,
  arrays: ReadonlyMap<string, NamedArray>,
  { layout, largestBytes = largestBinding() }: UploadOptions,
): UploadedWeights {
  checkSizes(arrays, { layout, largestBytes });
  const stacks = new Map<string, Stack>();
  const members = new Map<string, WholeWeight>();
  for (const { name: group, modules } of linearGroups(config)) {
    const found = modules
      .map((module) => arrays.get(`${module}.weight`))
      .filter((array) => array !== undefined);
    const bytes = found.reduce((sum, array) => sum + bytesOf(array, layout), 0);
    if (found.length < modules.length || bytes > largestBytes) continue;
    const biases = modules
      .map((module) => arrays.get(`${module}.bias`))
      .filter((array) => array !== undefined);
    const weight = uploaded(joined(found), layout);
    const bias = biases.length < modules.length ? null : (uploaded(joined(biases), layout) as Tensor);
    stacks.set(group, { weight, bias });
    let first = 0;
    modules.forEach((module, index) => {
      const count = found[index]?.shape[0] ?? 0;
      members.set(`${module}.weight`, rowsOf(weight, first, count));
      if (bias !== null) members.set(`${module}.bias`, view(bias, first, [count]));
      first += count;
    });
  }
  const placed = (array: NamedArray): Weight => {
    if (bytesOf(array, layout) <= largestBytes) return uploaded(array, layout);
    const [outputs = 0, inputs = 0] = array.shape;
    return packShards(array.values, [outputs, inputs], { layout, largestBytes });
  };
  const base = new Map([...arrays].map(([name, array]) => [name, members.get(name) ?? placed(array)]));
  return { base, stacks };
}

function uploaded({ values, shape }: NamedArray, layout: WeightLayout): WholeWeight {
  const [outputs = 0, inputs] = shape;
  return layout === "f32" || inputs === undefined
    ? tensor(values, shape)
    : packWeight(values, [outputs, inputs], layout);
}

function bytesOf({ shape }: NamedArray, layout: WeightLayout): number {
  const [outputs = 0, inputs] = shape;
  return inputs === undefined ? bytesPerRow("f32", outputs) : outputs * bytesPerRow(layout, inputs);
}

/** Matrices with a row per token, which are read in shards where one binding does not hold them. */
const shardable: ReadonlySet<string> = new Set(["model.embed_tokens.weight", "lm_head.weight"]);

function checkSizes(
  arrays: ReadonlyMap<string, NamedArray>,
  { layout, largestBytes }: Required<UploadOptions>,
): void {
  for (const [name, array] of arrays) {
    const bytes = bytesOf(array, layout);
    if (bytes <= largestBytes || shardable.has(name)) continue;
    throw new WeightTooLargeError(
      `"${name}" takes ${inMegabytes(bytes)} MB in ${layout}, this device reads at most ${inMegabytes(largestBytes)} MB at once: choose a smaller weight format or a smaller model.`,
    );
  }
}

/** Three digits, in plain notation: `toPrecision` alone gives 1.50e+3. */
function inMegabytes(bytes: number): number {
  return Number((bytes / 1e6).toPrecision(3));
}

/** Frees uploaded weights. */
export function disposeWeights({ base, stacks }: UploadedWeights): void {
  for (const weight of base.values()) dispose(tensorsOfWeight(weight));
  for (const { weight, bias } of stacks.values()) {
    dispose(tensorsOfWeight(weight));
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
function rowsOf(weight: WholeWeight, first: number, count: number): WholeWeight {
  if (!isPackedWeight(weight)) {
    const width = weight.shape[1] ?? 0;
    return view(weight, first * width, [count, width]);
  }
  const words = weight.words.shape[1] ?? 0;
  return { ...weight, outputs: count, words: view(weight.words, first * words, [count, words]) };
}
