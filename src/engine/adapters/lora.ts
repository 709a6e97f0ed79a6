/** Low-rank adapters: which modules carry them, their first values, and their parameters by PEFT's names. */
import type { Random } from "../data/random.ts";
import type { Model } from "../models/decoder.ts";
import { parameterShape, type AdapterTensors } from "../models/weights.ts";
import type { GroupAdapter } from "../kernels/groupLinear/groupLinear.ts";
import { linearGroups } from "../models/stacks.ts";
import { sizeOf } from "../tensor/shader.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { flatParameters, type FlatParameters, type ParameterSpec } from "./parameters.ts";

/** What an adapter looks like before it has values. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Module suffixes, such as `q_proj`. */
  readonly targets: readonly string[];
  /** Only this many of the last layers carry adapters; 0 means all. */
  readonly topLayers?: number;
}

/** First values given from outside instead of drawn: PEFT-like names without the `base_model.model.` prefix. */
export type InitialValues = ReadonlyMap<string, { readonly values: Float32Array }>;

/** Modules of the model that carry an adapter, in layer order. */
export function adaptedModules(
  model: Pick<Model, "base" | "config">,
  { targets, topLayers = 0 }: Pick<LoraSettings, "targets" | "topLayers">,
): string[] {
  const modules: string[] = [];
  const first = topLayers === 0 ? 0 : Math.max(0, model.config.layers - topLayers);
  for (const name of model.base.keys()) {
    const module = name.replace(/\.weight$/, "");
    const suffix = module.slice(module.lastIndexOf(".") + 1);
    const layer = /^model\.layers\.(\d+)\./.exec(module)?.[1];
    if (layer !== undefined && Number(layer) >= first && targets.includes(suffix)) modules.push(module);
  }
  return modules;
}

/** Adapters in flat parameters: by module for the tape, by group of stacked linears for the fused layers. */
export interface Adapters {
  readonly parameters: FlatParameters;
  readonly modules: ReadonlyMap<string, AdapterTensors>;
  readonly groups: ReadonlyMap<string, GroupAdapter>;
}

/**
 * Fresh adapters: A uniform in ±1/√in, B zero (PEFT's defaults), so the adapted model starts equal to its base.
 * Values come from `initial` where it has them.
 */
export function createAdapters(
  model: Model,
  settings: LoraSettings,
  source: { readonly random: Random; readonly initial?: InitialValues },
): Adapters {
  const { rank } = settings;
  const scale = settings.alpha / rank;
  const drawn = new Map<string, Float32Array>();
  for (const module of adaptedModules(model, settings)) {
    const [, inputs = 0] = weightShape(model, module);
    const bound = 1 / Math.sqrt(inputs);
    drawn.set(
      module,
      Float32Array.from({ length: rank * inputs }, () => source.random.uniform(-bound, bound)),
    );
  }
  const specs: ParameterSpec[] = [];
  const places: { group: string; place: Omit<GroupAdapter, "theta"> }[] = [];
  let offset = 0;
  for (const { name: group, modules } of linearGroups(model.config)) {
    const adapted = modules.filter((module) => drawn.has(module));
    if (adapted.length === 0) continue;
    const down = adapted.map((module): ParameterSpec => {
      const name = `${module}.lora_A.weight`;
      const values = source.initial?.get(name)?.values ?? drawn.get(module) ?? null;
      return { name, shape: [rank, weightShape(model, module)[1] ?? 0], values };
    });
    const up = adapted.map((module): ParameterSpec => {
      const name = `${module}.lora_B.weight`;
      const values = source.initial?.get(name)?.values ?? null;
      return { name, shape: [weightShape(model, module)[0] ?? 0, rank], values };
    });
    const segments = modules.map((module) => ({
      columns: weightShape(model, module)[0] ?? 0,
      rank: drawn.has(module) ? rank : 0,
    }));
    places.push({ group, place: { segments, aOffset: offset, bOffset: offset + countOf(down), scale } });
    specs.push(...down, ...up);
    offset += countOf(down) + countOf(up);
  }
  const parameters = flatParameters(specs);
  const named = new Map(parameters.trainables.map(({ name, tensor }) => [name, tensor]));
  const tensorOf = (name: string): Tensor => {
    const found = named.get(name);
    if (found === undefined) throw new Error(`No adapter parameter is called "${name}".`);
    return found;
  };
  const modules = new Map(
    [...drawn.keys()].map((module) => [
      module,
      { a: tensorOf(`${module}.lora_A.weight`), b: tensorOf(`${module}.lora_B.weight`), scale },
    ]),
  );
  const { theta } = parameters;
  const groups = new Map(places.map(({ group, place }) => [group, { ...place, theta }]));
  return { parameters, modules, groups };
}

function countOf(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function weightShape(model: Model, module: string): readonly number[] {
  return parameterShape(model, `${module}.weight`) ?? [];
}

/** Shape of a trained parameter by its name: an adapter's factor, or a weight of the model itself. */
export function trainableShape(model: Model, name: string, rank: number): readonly number[] | null {
  const factor = /^(.+)\.lora_([AB])\.weight$/.exec(name);
  if (factor === null) return parameterShape(model, name);
  const [outputs, inputs] = parameterShape(model, `${factor[1]}.weight`) ?? [];
  if (outputs === undefined || inputs === undefined) return null;
  return factor[2] === "A" ? [rank, inputs] : [outputs, rank];
}
