/** Low-rank adapters: which modules carry them, their first values, and their parameters by PEFT's names. */
import type { Random } from "../data/random.ts";
import type { Model } from "../models/decoder.ts";
import type { AdapterSum, HostAdapter } from "../models/hostAdapter.ts";
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

/** Where the first values of an adapter come from. */
export interface FirstValues {
  readonly random: Random;
  /** All values of some parameters. */
  readonly initial?: InitialValues;
  /** Adapters to go on with: they are the first ranks, and what is above theirs adds nothing yet. */
  readonly start?: AdapterSum;
  /** Further parameters that train with the adapters, behind them in the flat buffer. */
  readonly beside?: readonly ParameterSpec[];
}

/**
 * Fresh adapters: A uniform in ±1/√in, B zero (PEFT's defaults), so the adapted model starts equal to its base, or where
 * there is a `start`, to the base with that. Throws `RangeError` where the settings have no room for it.
 */
export function createAdapters(model: Model, settings: LoraSettings, source: FirstValues): Adapters {
  const { rank } = settings;
  const scale = settings.alpha / rank;
  const problem = whyNoRoom(model, settings, source.start ?? new Map());
  if (problem !== null) throw new RangeError(problem.message);
  const factors = new Map<string, Factors>();
  for (const module of adaptedModules(model, settings)) {
    const [, inputs = 0] = weightShape(model, module);
    const bound = 1 / Math.sqrt(inputs);
    const drawn = Float32Array.from({ length: rank * inputs }, () => source.random.uniform(-bound, bound));
    const given = (factor: string) => source.initial?.get(`${module}.lora_${factor}.weight`)?.values;
    const start = source.start?.get(module);
    if (start !== undefined) drawn.set(start.a);
    const a = given("A") ?? drawn;
    const b = given("B") ?? (start === undefined ? null : widened(start, rank, scale));
    factors.set(module, { rank, a, b });
  }
  return placeAdapters(model, factors, scale, source);
}

/** B [out, rank] of an adapter whose scale is 1 in wider rows, of an adapter with another scale that does the same. */
function widened({ b, rank: own, outputs }: HostAdapter, rank: number, scale: number): Float32Array {
  const wide = new Float32Array(outputs * rank);
  for (let row = 0; row < outputs; row++) {
    for (let column = 0; column < own; column++) {
      wide[row * rank + column] = (b[row * own + column] ?? 0) / scale;
    }
  }
  return wide;
}

/** Why an adapter of these settings cannot go on with `start`, and the setting to change; null where it can. */
export function whyNoRoom(
  model: Pick<Model, "base" | "config">,
  settings: Pick<LoraSettings, "rank" | "targets" | "topLayers">,
  start: AdapterSum,
): { readonly field: "loraRank" | "loraTargets" | "topLayers"; readonly message: string } | null {
  const ranks = [...start.values()].map(({ rank }) => rank);
  const needed = Math.max(0, ...ranks);
  if (settings.rank < needed) {
    const message = `The adapters that stand on the model have rank ${needed} together, the run has rank ${settings.rank}: give it at least ${needed}, or take some of them off.`;
    return { field: "loraRank", message };
  }
  const trained = new Set(adaptedModules(model, settings));
  const left = [...start.keys()].find((module) => !trained.has(module));
  if (left === undefined) return null;
  const target = left.slice(left.lastIndexOf(".") + 1);
  const [field, change] = settings.targets.includes(target)
    ? (["topLayers", "train all layers"] as const)
    : (["loraTargets", `add ${target} to its modules`] as const);
  const message = `An adapter stands on "${left}", which the run does not train: ${change}, or take the adapter off.`;
  return { field, message };
}

/** The factors of one module before they have a place; null values are zeros. */
interface Factors {
  readonly rank: number;
  /** [rank, in] */
  readonly a: Float32Array | null;
  /** [out, rank] */
  readonly b: Float32Array | null;
}

/** Puts adapters on the device, those of a group of linears beside each other, and behind them what is `beside` them. */
export function placeAdapters(
  model: Model,
  factors: ReadonlyMap<string, Factors>,
  scale: number,
  { beside = [] }: Pick<FirstValues, "beside"> = {},
): Adapters {
  const specs: ParameterSpec[] = [];
  const places: { group: string; place: Omit<GroupAdapter, "theta"> }[] = [];
  let offset = 0;
  for (const { name: group, modules } of linearGroups(model.config)) {
    const adapted = modules.flatMap((module) => {
      const own = factors.get(module);
      return own === undefined ? [] : [{ module, ...own }];
    });
    if (adapted.length === 0) continue;
    const down = adapted.map(({ module, rank, a }): ParameterSpec => {
      return {
        name: `${module}.lora_A.weight`,
        shape: [rank, weightShape(model, module)[1] ?? 0],
        values: a,
      };
    });
    const up = adapted.map(({ module, rank, b }): ParameterSpec => {
      return {
        name: `${module}.lora_B.weight`,
        shape: [weightShape(model, module)[0] ?? 0, rank],
        values: b,
      };
    });
    const segments = modules.map((module) => ({
      columns: weightShape(model, module)[0] ?? 0,
      rank: factors.get(module)?.rank ?? 0,
    }));
    places.push({ group, place: { segments, aOffset: offset, bOffset: offset + countOf(down), scale } });
    specs.push(...down, ...up);
    offset += countOf(down) + countOf(up);
  }
  const parameters = flatParameters([...specs, ...beside]);
  const named = new Map(parameters.trainables.map(({ name, tensor }) => [name, tensor]));
  const tensorOf = (name: string): Tensor => {
    const found = named.get(name);
    if (found === undefined) throw new Error(`No adapter parameter is called "${name}".`);
    return found;
  };
  const modules = new Map(
    [...factors.keys()].map((module) => [
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
