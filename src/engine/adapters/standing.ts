/** Adapters that stand on a model without being trained: several at once, each with a factor, as one sum. */
import type { Model } from "../models/decoder.ts";
import type { AdapterSum, HostAdapter } from "../models/hostAdapter.ts";
import type { Standing } from "../models/weights.ts";
import { createAdapters, placeAdapters, type Adapters, type FirstValues, type LoraSettings } from "./lora.ts";

/** One adapter of a sum. */
export interface ScaledAdapter {
  readonly modules: ReadonlyMap<string, HostAdapter>;
  /** Factor of B·A by module: alpha / rank (or alpha / √rank), times what the person chose. */
  readonly scaleOf: (module: string) => number;
}

/**
 * The sum Σ sᵢ·Bᵢ·Aᵢ as one adapter a module, exactly: factors A one above the other, columns of B beside each other and
 * multiplied by their scale. Merging the factors themselves would be another function. What is multiplied by 0 is left out.
 */
export function sumAdapters(adapters: readonly ScaledAdapter[]): Map<string, HostAdapter> {
  const parts = new Map<string, { readonly adapter: HostAdapter; readonly scale: number }[]>();
  for (const { modules, scaleOf } of adapters) {
    for (const [module, adapter] of modules) {
      const scale = scaleOf(module);
      if (scale !== 0) parts.set(module, [...(parts.get(module) ?? []), { adapter, scale }]);
    }
  }
  return new Map([...parts].map(([module, some]) => [module, joined(some)]));
}

function joined(parts: readonly { readonly adapter: HostAdapter; readonly scale: number }[]): HostAdapter {
  const { inputs = 0, outputs = 0 } = parts[0]?.adapter ?? {};
  const rank = parts.reduce((sum, { adapter }) => sum + adapter.rank, 0);
  const a = new Float32Array(rank * inputs);
  const b = new Float32Array(outputs * rank);
  let first = 0;
  for (const { adapter, scale } of parts) {
    a.set(adapter.a, first * inputs);
    for (let row = 0; row < outputs; row++) {
      for (let column = 0; column < adapter.rank; column++) {
        b[row * rank + first + column] = scale * (adapter.b[row * adapter.rank + column] ?? 0);
      }
    }
    first += adapter.rank;
  }
  return { a, b, rank, inputs, outputs };
}

/** The largest rank of a sum, which a run that goes on with it needs; 0 of nothing. */
export function rankOf(sum: AdapterSum): number {
  return Math.max(0, ...[...sum.values()].map(({ rank }) => rank));
}

/** A model with adapters that stand on it; `dispose` frees these alone. */
export interface StoodModel {
  readonly model: Model;
  readonly dispose: () => void;
}

/** The model with these adapters in place of those that stand on it; with an empty sum the model alone. */
export function standOn(model: Model, sum: AdapterSum): StoodModel {
  const bare = withoutStanding(model);
  if (sum.size === 0) return { model: bare, dispose: () => undefined };
  return stood(bare, sum, placeAdapters(bare, sum, 1));
}

/** The model with nothing on it. */
export function withoutStanding({ standing: _standing, ...model }: Model): Model {
  return model;
}

/**
 * The reference of a run that goes on with the adapters that stand on the model: the same sum with the very numbers that
 * the run's own adapter starts with, so that both agree to the last bit. The model itself where nothing stands on it.
 */
export function frozenStart(model: Model, settings: LoraSettings, random: FirstValues["random"]): StoodModel {
  const { standing } = model;
  if (standing === undefined) return { model, dispose: () => undefined };
  const start = createAdapters(model, settings, { random, start: standing.sum });
  return stood(model, standing.sum, start);
}

function stood(model: Model, sum: AdapterSum, { modules, groups, parameters }: Adapters): StoodModel {
  const standing: Standing = { adapters: modules, groupAdapters: groups, sum };
  return { model: { ...model, standing }, dispose: parameters.dispose };
}
