/** Parameters from their files onto the device, one parcel after another: read, converted, sent, forgotten. */
import type { StoredTensor } from "../files/storedTensors.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { dispose, largestBinding, settle } from "../tensor/run.ts";
import { tensorsOfWeight } from "../kernels/weightLayout/packedWeight.ts";
import type { BaseWeights } from "../training/config.ts";
import type { ModelConfig } from "./config.ts";
import { convertRows, layoutFor, Turns } from "./convertRows.ts";
import {
  piecesOfParcel,
  Placement,
  placePiece,
  planParcels,
  rowWords,
  type Parcel,
  type PlacedPiece,
  type UploadedWeights,
} from "./parcels.ts";
import { bytesByLayout, RoundingMeter, type WeightReport } from "./weightReport.ts";

/** Bytes that are sent before the device is waited for: what was sent lies in the host's memory until then. */
const BYTES_IN_FLIGHT = 256 * 2 ** 20;

/** How a model is loaded. */
export interface LoadOptions {
  /** How matrices lie on the device; vectors are float32. As the file has them when left out. */
  readonly weights?: BaseWeights;
  /** Called with the bytes of the files that are done and that there are, after every parcel. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Ends the loading; nothing stays on the device. */
  readonly signal?: AbortSignal;
  /** Bytes that the device can bind at once; what it says itself when left out. */
  readonly largestBytes?: number;
}

/** Parameters on the device, and what their conversion changed. */
export interface StreamedWeights extends UploadedWeights {
  readonly report: WeightReport;
}

/** How parameters are spread over parcels: from names, shapes and types alone. */
export function parcelsOf(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Pick<StoredTensor, "shape" | "type">>,
  { weights = "keep", largestBytes = largestBinding() }: Pick<LoadOptions, "weights" | "largestBytes">,
): Parcel[] {
  const layoutOf = (name: string): WeightLayout => layoutFor(weights, tensors.get(name)?.type ?? "F32");
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  return planParcels(config, shapes, { layoutOf, largestBytes });
}

/**
 * Puts parameters, by the decoder's names, on the device. On the host there is never more than one parcel's words and the
 * rows that they are made of. Throws `WeightTooLargeError` before anything is read, the device's error where it has no
 * room, and leaves nothing there.
 */
export async function streamWeights(
  config: ModelConfig,
  tensors: ReadonlyMap<string, StoredTensor>,
  file: string,
  options: LoadOptions = {},
): Promise<StreamedWeights> {
  const { onProgress, signal } = options;
  const parcels = parcelsOf(config, tensors, options);
  const meter = new RoundingMeter();
  const reader: Reader = { tensors, file, meter, turns: new Turns(signal) };
  const totalBytes = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const placement = new Placement();
  let [doneBytes, inFlight] = [0, 0];
  try {
    onProgress?.(0, totalBytes);
    for (const parcel of parcels) {
      const { sentBytes, readBytes } = await placeParcel(parcel, reader, placement);
      inFlight += sentBytes;
      if (inFlight > BYTES_IN_FLIGHT) {
        await settle();
        inFlight = 0;
      }
      doneBytes += readBytes;
      onProgress?.(doneBytes, totalBytes);
    }
  } catch (error) {
    placement.dispose();
    throw error;
  }
  const uploaded = placement.weights(tensors.keys());
  const report = { bytesByLayout: bytesByLayout(uploaded.base), rounding: meter.report() };
  return { ...uploaded, report };
}

/** What parcels are read from. */
interface Reader {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly file: string;
  readonly meter: RoundingMeter;
  readonly turns: Turns;
}

async function placeParcel(parcel: Parcel, reader: Reader, placement: Placement) {
  const pieces: PlacedPiece[] = [];
  let sentBytes = 0;
  try {
    for (const piece of piecesOfParcel(parcel)) {
      const words = await readPiece(parcel, piece, reader);
      pieces.push(placePiece(parcel, words));
      sentBytes += words.byteLength;
    }
    const biases = parcel.biases.length === 0 ? null : await readBiases(parcel.biases, reader);
    placement.add(parcel, { pieces, biases });
  } catch (error) {
    dispose(pieces.flatMap(tensorsOfWeight));
    throw error;
  }
  const names = [...parcel.members.map(({ name }) => name), ...parcel.biases];
  const readBytes = names.reduce((sum, name) => sum + (reader.tensors.get(name)?.bytes ?? 0), 0);
  return { sentBytes, readBytes };
}

/** Words of some rows of a parcel; of a group always all. */
async function readPiece(
  parcel: Parcel,
  piece: { readonly first: number; readonly end: number },
  { tensors, file, meter, turns }: Reader,
): Promise<Uint32Array> {
  const { members, layout } = parcel;
  const words = new Uint32Array((piece.end - piece.first) * rowWords(parcel));
  let at = 0;
  for (const { name, shape } of members) {
    const tensor = tensors.get(name)!;
    const rows = members.length > 1 ? { first: 0, end: shape[0] ?? 0 } : piece;
    const end = at + (rows.end - rows.first) * rowWords(parcel);
    await convertRows({ name, tensor, layout, file, meter, turns }, rows, words.subarray(at, end));
    at = end;
  }
  return words;
}

async function readBiases(names: readonly string[], { tensors }: Reader): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for (const name of names) parts.push(await tensors.get(name)!.values());
  const biases = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    biases.set(part, at);
    at += part.length;
  }
  return biases;
}
