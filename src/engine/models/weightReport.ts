/** How a model's matrices lie on the device, and what their conversion changed. */
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { tensorsOfWeight, type Weight } from "../kernels/weightLayout/packedWeight.ts";

/** What rounding did to the matrices of one layer: root of the mean squared error over root of the mean square. */
export interface LayerRounding {
  /** -1 for the embedding and the head. */
  readonly layer: number;
  readonly relativeRms: number;
}

/** How a model's matrices lie on the device. */
export interface WeightReport {
  /** Bytes by layout, such as `f16`, `q8`, `q4m`. */
  readonly bytesByLayout: Readonly<Record<string, number>>;
  /** Of the matrices whose values changed; empty where nothing was rounded. */
  readonly rounding: readonly LayerRounding[];
}

const BYTES_PER_NUMBER = 4;

/** Bytes that weights take on the device, by layout; vectors count as `f32`. */
export function bytesByLayout(base: ReadonlyMap<string, Weight>): Partial<Record<WeightLayout, number>> {
  const bytes: Partial<Record<WeightLayout, number>> = {};
  for (const weight of base.values()) {
    const layout = "shards" in weight ? weight.shards[0]!.layout : "layout" in weight ? weight.layout : "f32";
    const numbers = tensorsOfWeight(weight).reduce((sum, { size }) => sum + size, 0);
    bytes[layout] = (bytes[layout] ?? 0) + BYTES_PER_NUMBER * numbers;
  }
  return bytes;
}

/** The layer that a parameter belongs to, counted from 0; -1 outside of layers. */
function layerOf(name: string): number {
  return Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? -1);
}

/** Adds up, layer by layer, what rounding changes. */
export class RoundingMeter {
  readonly #sums = new Map<number, { error: number; square: number }>();

  /** Counts values of a parameter and what became of them. */
  add(name: string, { error, square }: { readonly error: number; readonly square: number }): void {
    const layer = layerOf(name);
    const sums = this.#sums.get(layer) ?? { error: 0, square: 0 };
    this.#sums.set(layer, { error: sums.error + error, square: sums.square + square });
  }

  /** Layers in order. */
  report(): LayerRounding[] {
    return [...this.#sums]
      .map(([layer, { error, square }]) => ({
        layer,
        relativeRms: square === 0 ? 0 : Math.sqrt(error / square),
      }))
      .toSorted((a, b) => a.layer - b.layer);
  }
}
