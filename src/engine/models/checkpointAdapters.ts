/**
 * Adapters by the names of the checkpoint's own modules, as PEFT knows them. Where queries, keys and values are one
 * linear there, their adapters become one: the factors A one above the other and B in blocks, so its rank is the sum.
 * PEFT has one rank for all modules, so the others are filled up with zeros and alpha grows with the rank.
 */
import { FileFormatError } from "../files/fileFormatError.ts";
import type { NamedArray } from "../files/safetensors.ts";
import { placeOf, type NamedArrays, type Place } from "./checkpoint.ts";
import { architectureOf } from "./architectures/index.ts";
import type { ModelConfig } from "./config.ts";
import type { HostAdapter } from "./hostAdapter.ts";
import { expectedShapes } from "./parameterNames.ts";

/** Adapters of a checkpoint's modules. */
export interface CheckpointAdapters {
  /** `<module>.lora_A.weight` [rank, in] and `<module>.lora_B.weight` [out, rank] */
  readonly arrays: Map<string, NamedArray>;
  readonly rank: number;
  /** Keeps alpha / rank. */
  readonly alpha: number;
  /** Names that PEFT finds the modules by, as many parts of them as tell them apart. */
  readonly targetModules: readonly string[];
  /** The checkpoint's linears are stored [in, out]. */
  readonly hasTransposedLinears: boolean;
  /** Layers of the model, adapted or not. */
  readonly layers: number;
}

/** Adapters by module from named factors, `<module>.lora_A.weight` and `<module>.lora_B.weight`. */
export function adaptersByModule(arrays: NamedArrays): Map<string, HostAdapter> {
  const adapters = new Map<string, HostAdapter>();
  for (const [name, { shape, values }] of arrays) {
    const module = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    const b = module === undefined ? undefined : arrays.get(`${module}.lora_B.weight`);
    if (module === undefined || b === undefined) continue;
    const [rank = 0, inputs = 0] = shape;
    adapters.set(module, { a: values, b: b.values, rank, inputs, outputs: b.shape[0] ?? 0 });
  }
  return adapters;
}

function namedFactors(module: string, { a, b, rank, inputs, outputs }: HostAdapter): [string, NamedArray][] {
  return [
    [`${module}.lora_A.weight`, { shape: [rank, inputs], values: a }],
    [`${module}.lora_B.weight`, { shape: [outputs, rank], values: b }],
  ];
}

/** A member of a stored module: its adapter, and the rows of the module that it has. */
interface Member {
  readonly adapter: HostAdapter;
  readonly place: Place;
}

/** One adapter of `rank` that does what the members do in their rows. */
function joined(members: readonly Member[], rank: number): HostAdapter {
  const inputs = members[0]?.adapter.inputs ?? 0;
  const outputs = members[0]?.place.rows ?? 0;
  const a = new Float32Array(rank * inputs);
  const b = new Float32Array(outputs * rank);
  let first = 0;
  for (const { adapter, place } of members) {
    a.set(adapter.a, first * inputs);
    for (let row = 0; row < adapter.outputs; row++) {
      const from = row * adapter.rank;
      b.set(adapter.b.subarray(from, from + adapter.rank), (place.rowOf?.(row) ?? row) * rank + first);
    }
    first += adapter.rank;
  }
  return { a, b, rank, inputs, outputs };
}

/** Adapters of the decoder's modules as adapters of the checkpoint's. */
export function toCheckpointAdapters(
  config: ModelConfig,
  arrays: NamedArrays,
  alpha: number,
): CheckpointAdapters {
  const stored = new Map<string, Member[]>();
  const ranks = new Set<number>();
  for (const [module, adapter] of adaptersByModule(arrays)) {
    const place = placeOf(config, module, adapter.outputs);
    stored.set(place.name, [...(stored.get(place.name) ?? []), { adapter, place }]);
    ranks.add(adapter.rank);
  }
  const ownRank = Math.max(...ranks);
  const rank = Math.max(...[...stored.values()].map((members) => members.length)) * ownRank;
  const named = [...stored].flatMap(([module, members]) => namedFactors(module, joined(members, rank)));
  const layout = architectureOf(config).checkpoint;
  const suffix = layout === undefined ? /[^.]+$/ : /[^.]+\.[^.]+$/;
  return {
    arrays: new Map(named),
    rank,
    alpha: (alpha * rank) / ownRank,
    targetModules: [
      ...new Set([...stored.keys()].map((module) => suffix.exec(module)?.[0] ?? module)),
    ].sort(),
    hasTransposedLinears: layout?.hasTransposedLinears === true,
    layers: config.layers,
  };
}

/**
 * Adapters of the checkpoint's modules as adapters of the decoder's, of the same rank: one of a fused linear becomes
 * one for each of its parts. Throws `FileFormatError` for a module that the model does not have.
 */
export function fromCheckpointAdapters(
  config: ModelConfig,
  arrays: NamedArrays,
  file: string,
): Map<string, NamedArray> {
  const unknown = new Set(adaptersByModule(arrays).keys());
  const adapters = adaptersByModule(arrays);
  const named = new Map<string, NamedArray>();
  for (const [name, [rows = 0, columns]] of expectedShapes(config)) {
    if (!name.endsWith("_proj.weight") || columns === undefined) continue;
    const module = name.slice(0, -".weight".length);
    const place = placeOf(config, module, rows);
    const adapter = adapters.get(place.name);
    if (adapter === undefined) continue;
    unknown.delete(place.name);
    const { a, rank, inputs } = adapter;
    const b = new Float32Array(rows * rank);
    for (let row = 0; row < rows; row++) {
      const from = (place.rowOf?.(row) ?? row) * rank;
      b.set(adapter.b.subarray(from, from + rank), row * rank);
    }
    for (const [factor, array] of namedFactors(module, { a, b, rank, inputs, outputs: rows })) {
      named.set(factor, array);
    }
  }
  for (const module of unknown) {
    throw new FileFormatError(
      "FIL-1",
      file,
      `"${module}" is not a linear of a ${config.architecture} layer.`,
    );
  }
  return named;
}
