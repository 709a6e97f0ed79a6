/** Parameters that lie in memory onto the device. */
import type { NamedArray } from "../files/safetensors.ts";
import { packRows, type WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { largestBinding } from "../tensor/run.ts";
import type { ModelConfig } from "./config.ts";
import {
  piecesOfParcel,
  Placement,
  placePiece,
  planParcels,
  rowWords,
  type Parcel,
  type UploadedWeights,
} from "./parcels.ts";

/** How parameters are put on the device. */
export interface UploadOptions {
  /** How matrices are stored; vectors are float32. */
  readonly layout: WeightLayout;
  /** Bytes that the device can bind at once; what it says itself when left out. */
  readonly largestBytes?: number;
}

/**
 * Puts parameters on the device, all matrices in one layout; their order stays. Throws `WeightTooLargeError` before
 * anything is there.
 */
export function uploadWeights(
  config: ModelConfig,
  arrays: ReadonlyMap<string, NamedArray>,
  { layout, largestBytes = largestBinding() }: UploadOptions,
): UploadedWeights {
  const shapes = new Map([...arrays].map(([name, { shape }]) => [name, shape]));
  const parcels = planParcels(config, shapes, { layoutOf: () => layout, largestBytes });
  const placement = new Placement();
  for (const parcel of parcels) {
    const pieces = piecesOfParcel(parcel).map((piece) => placePiece(parcel, wordsOf(parcel, piece, arrays)));
    const biases = parcel.biases.length === 0 ? null : joined(parcel.biases.map((name) => arrays.get(name)));
    placement.add(parcel, { pieces, biases });
  }
  return placement.weights(arrays.keys());
}

/** Words of some rows of a parcel; of a group always all. */
function wordsOf(
  parcel: Parcel,
  { first, end }: { readonly first: number; readonly end: number },
  arrays: ReadonlyMap<string, NamedArray>,
): Uint32Array {
  const { members, layout } = parcel;
  const words = new Uint32Array((end - first) * rowWords(parcel));
  let at = 0;
  for (const { name, shape } of members) {
    const [outputs = 0, inputs] = shape;
    const width = inputs ?? outputs;
    const values = arrays.get(name)?.values ?? new Float32Array();
    const rows = members.length > 1 ? outputs : end - first;
    const from = members.length > 1 ? 0 : first * width;
    const packed = packRows(values.subarray(from, from + rows * width), [rows, width], layout);
    words.set(packed, at);
    at += packed.length;
  }
  return words;
}

function joined(arrays: readonly (NamedArray | undefined)[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...(array?.values ?? [])]));
}
