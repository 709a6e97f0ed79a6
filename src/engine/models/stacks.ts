/**
 * Linears that read the same rows, stacked into one matrix, so that one dispatch computes them all: queries, keys and
 * values; gate and up. A stack of one is the matrix itself.
 */
import type { WholeWeight } from "../kernels/weightLayout/packedWeight.ts";
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
