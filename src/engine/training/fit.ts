/** Whether a model can be trained on a device, told from its configuration and the headers of its files alone. */
import { pairBatch } from "../data/batch.ts";
import type { StoredTensor } from "../files/storedTensors.ts";
import { bytesPerRow } from "../kernels/weightLayout/weightLayout.ts";
import { openStoredCheckpoint } from "../models/checkpoint.ts";
import type { ModelConfig } from "../models/config.ts";
import { layoutFor } from "../models/convertRows.ts";
import type { Model } from "../models/decoder.ts";
import type { ModelSource } from "../models/modelSource.ts";
import { piecesOfParcel, Placement, planPiece, WeightTooLargeError, type Parcel } from "../models/parcels.ts";
import { parcelsOf } from "../models/streamWeights.ts";
import type { Device } from "../tensor/device.ts";
import { probeRoom } from "../tensor/probeRoom.ts";
import { zeros } from "../tensor/run.ts";
import { rowCount } from "./batches.ts";
import { baseWeights, defaultConfig, type BaseWeights, type RunConfig } from "./config.ts";
import { planModelStep } from "./estimate.ts";
import { keepsOf } from "./stepMemory.ts";

/** Whether a model can be trained on this device. */
export interface FitVerdict {
  readonly verdict: "fits" | "tight" | "tooBig";
  /** Bytes that weights and one small training step need. */
  readonly neededBytes: number;
  /** Bytes that the device gave when it was asked for as many. */
  readonly availableBytes: number;
}

/** Up to this share of what the device gives, a model leaves room for a batch of more than one pair. */
const COMFORTABLE = 0.8;
/** The small step: an adapter of rank 8 on all modules, and one pair of answers to one prompt. */
const TOKENS = { prompt: 64, answer: 64 } as const;
const smallStep: RunConfig = { ...defaultConfig, batchPairs: 1, accumulationSteps: 1, loraRank: 8 };

/** Parameters by the decoder's names, of which shapes and types are known. */
type Headers = ReadonlyMap<string, Pick<StoredTensor, "shape" | "type">>;

/**
 * Bytes that a model's weights take in a layout and one small LoRA step beside them: both are planned by the code that
 * loads and trains. Throws `WeightTooLargeError` where the device cannot bind a matrix.
 */
export function neededBytes(config: ModelConfig, tensors: Headers, weights: BaseWeights): number {
  const parcels = parcelsOf(config, tensors, { weights });
  const ids = (count: number) => new Int32Array(Math.min(count, Math.floor(config.maxPositions / 2)));
  const answer = ids(TOKENS.answer);
  const pair = { prompt: ids(TOKENS.prompt), chosen: answer, rejected: answer, row: 0 };
  const keeps = keepsOf(config, smallStep, rowCount(pair, smallStep));
  const batch = { flat: pairBatch([pair], smallStep), keeps };
  return planModelStep(() => plannedModel(config, parcels, tensors.keys()), smallStep, batch);
}

/** A model whose tensors have sizes and no contents. */
function plannedModel(config: ModelConfig, parcels: readonly Parcel[], names: Iterable<string>): Model {
  const placement = new Placement();
  for (const parcel of parcels) {
    const pieces = piecesOfParcel(parcel).map((piece) => planPiece(parcel, piece));
    const biases = parcel.biases.length === 0 ? null : new Float32Array(parcel.rows);
    placement.add(parcel, { pieces, biases });
  }
  const { maxPositions, rotaryDims, localRopeTheta } = config;
  const table = () => zeros([maxPositions, rotaryDims / 2, 2]);
  return {
    config,
    ...placement.weights(names),
    ropeTable: rotaryDims === 0 ? null : table(),
    localRopeTable: rotaryDims === 0 || localRopeTheta === null ? null : table(),
  };
}

/** Bytes of the matrices alone, of a model that no plan can be made of. */
function storedBytes(tensors: Headers, weights: BaseWeights): number {
  let bytes = 0;
  for (const { shape, type } of tensors.values()) {
    const [rows = 0, inputs] = shape;
    bytes += inputs === undefined ? 4 * rows : rows * bytesPerRow(layoutFor(weights, type), inputs);
  }
  return bytes;
}

/** What a layout needs, and whether the device can bind its matrices. */
function needOf(config: ModelConfig, tensors: Headers, weights: BaseWeights) {
  try {
    return { weights, bytes: neededBytes(config, tensors, weights), canBind: true };
  } catch (error) {
    if (!(error instanceof WeightTooLargeError)) throw error;
    return { weights, bytes: storedBytes(tensors, weights), canBind: false };
  }
}

/** The verdict on what is needed of what there is. */
export function verdictOf(needed: number, available: number, canBind = true): FitVerdict {
  const verdict =
    !canBind || needed > available ? "tooBig" : needed <= COMFORTABLE * available ? "fits" : "tight";
  return { verdict, neededBytes: Math.ceil(needed), availableBytes: Math.floor(available) };
}

/**
 * Whether a model fits, by layout of its matrices: the device is asked once, for as much as the largest layout needs to
 * be comfortable. Nothing is read but what `openModel` has. Throws `FileFormatError` for tensors that are not the model's.
 */
export async function fitOf(
  { config, tensors: stored, file }: Pick<ModelSource, "config" | "tensors" | "file">,
  device: Device,
): Promise<Record<BaseWeights, FitVerdict>> {
  const tensors = openStoredCheckpoint(config, stored, file);
  const needs: { weights: BaseWeights; bytes: number; canBind: boolean }[] = [];
  for (const weights of baseWeights) {
    needs.push(needOf(config, tensors, weights));
    // A plan of a deep model takes a good part of a second.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const largest = Math.max(...needs.map(({ bytes }) => bytes));
  const available = await probeRoom(device, largest / COMFORTABLE);
  return Object.fromEntries(
    needs.map(({ weights, bytes, canBind }) => [weights, verdictOf(bytes, available, canBind)]),
  ) as Record<BaseWeights, FitVerdict>;
}
