/** Low-rank adapters: which modules carry them, their first values, and their parameters by PEFT's names. */
import type { Random } from "../data/random.ts";
import type { Model } from "../models/decoder.ts";
import type { AdapterTensors } from "../models/weights.ts";
import { tensor, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** What an adapter looks like before it has values. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** Module suffixes, such as `q_proj`. */
  readonly targets: readonly string[];
}

/** A parameter that an optimizer changes. */
export interface Trainable {
  readonly name: string;
  readonly tensor: Tensor;
}

/** First values given from outside instead of drawn: PEFT-like names without the `base_model.model.` prefix. */
export type InitialValues = ReadonlyMap<string, { readonly values: Float32Array }>;

/** Modules of the model that carry an adapter, in layer order. */
export function adaptedModules(model: Model, targets: readonly string[]): string[] {
  const modules: string[] = [];
  for (const name of model.base.keys()) {
    const module = name.replace(/\.weight$/, "");
    const suffix = module.slice(module.lastIndexOf(".") + 1);
    if (module.startsWith("model.layers.") && targets.includes(suffix)) modules.push(module);
  }
  return modules;
}

/**
 * Fresh adapters: A uniform in ±1/√in, B zero (PEFT's defaults), so the adapted model starts equal to its base.
 * Values come from `initial` where it has them.
 */
export function createAdapters(
  model: Model,
  settings: LoraSettings,
  source: { readonly random: Random; readonly initial?: InitialValues },
): Map<string, AdapterTensors> {
  const adapters = new Map<string, AdapterTensors>();
  for (const module of adaptedModules(model, settings.targets)) {
    const weight = model.base.get(`${module}.weight`);
    const [outputs = 0, inputs = 0] = weight?.shape ?? [];
    const bound = 1 / Math.sqrt(inputs);
    const drawn = Float32Array.from({ length: settings.rank * inputs }, () =>
      source.random.uniform(-bound, bound),
    );
    const a = source.initial?.get(`${module}.lora_A.weight`)?.values ?? drawn;
    const b = source.initial?.get(`${module}.lora_B.weight`)?.values;
    adapters.set(module, {
      a: tensor(a, [settings.rank, inputs]),
      b: b === undefined ? zeros([outputs, settings.rank]) : tensor(b, [outputs, settings.rank]),
      scale: settings.alpha / settings.rank,
    });
  }
  return adapters;
}

/** Parameters of adapters by name: `<module>.lora_A.weight`, `<module>.lora_B.weight`. */
export function adapterTrainables(adapters: ReadonlyMap<string, AdapterTensors>): Trainable[] {
  return [...adapters].flatMap(([module, { a, b }]) => [
    { name: `${module}.lora_A.weight`, tensor: a },
    { name: `${module}.lora_B.weight`, tensor: b },
  ]);
}

/** Shape of a trained parameter by its name: an adapter's factor, or a weight of the model itself. */
export function trainableShape(model: Model, name: string, rank: number): readonly number[] | null {
  const factor = /^(.+)\.lora_([AB])\.weight$/.exec(name);
  if (factor === null) return model.base.get(name)?.shape ?? null;
  const [outputs, inputs] = model.base.get(`${factor[1]}.weight`)?.shape ?? [];
  if (outputs === undefined || inputs === undefined) return null;
  return factor[2] === "A" ? [rank, inputs] : [outputs, rank];
}
