/** Errors of the engine as plain data with the code of the message they lead to. */
import { DatasetError } from "../engine/data/datasetError.ts";
import { DataStepError } from "../engine/data/steps/stepContext.ts";
import { FileFormatError } from "../engine/files/fileFormatError.ts";
import { WeightTooLargeError } from "../engine/models/parcels.ts";
import { DeviceLostError, GpuOutOfMemoryError, NoWebGpuError } from "../engine/tensor/errors.ts";
import { TokenizerError } from "../engine/tokenizer/tokenizerError.ts";
import { EmptyResultError, NonFiniteLossError } from "../engine/training/numericErrors.ts";
import { StorageError } from "../storage/fileStore.ts";
import type { ErrorReport, MessageCode } from "./protocol.ts";

/** A question that cannot be answered as things stand; the message says what to do first. */
export class StudioError extends Error {
  override name = "StudioError";
  readonly code: MessageCode;
  readonly details: ErrorReport["details"];

  constructor(code: MessageCode, message: string, details: ErrorReport["details"]) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Refuses a question with one sentence. */
export function refuse(code: MessageCode, message: string, details: ErrorReport["details"] = {}): never {
  throw new StudioError(code, message, details);
}

/** Refuses a model that the device has no room for. */
export function refuseWeights(): never {
  return refuse("MEM-1", "The weights of this model do not fit into the memory of the device.", {
    part: "weights",
  });
}

/** Describes any error for the other side of the wall. */
export function reportError(error: unknown): ErrorReport {
  const known = error instanceof Error ? error : new Error(String(error));
  return { name: known.name, code: codeOf(known), message: known.message, details: detailsOf(known) };
}

/** Why the trainer cannot go on after its device was lost. */
export function lossReason(message: string): string {
  return `the device was lost (${message})`;
}

function codeOf(error: Error): MessageCode {
  if (error instanceof StudioError || error instanceof FileFormatError || error instanceof DatasetError) {
    return error.code;
  }
  if (error instanceof DataStepError) return "CFG-1";
  if (error instanceof TokenizerError) return "FIL-1";
  if (error instanceof StorageError && error.isFull) return "STO-1";
  if (error instanceof NonFiniteLossError) return "NUM-1";
  if (error instanceof EmptyResultError) return "NUM-2";
  if (error instanceof WeightTooLargeError) return "GPU-5";
  if (error instanceof GpuOutOfMemoryError) return "MEM-1";
  if (error instanceof DeviceLostError) return "WRK-1";
  if (error instanceof NoWebGpuError) return error.reason === "no-gpu-api" ? "GPU-1" : "GPU-2";
  return "RUN-1";
}

function detailsOf(error: Error): ErrorReport["details"] {
  if (error instanceof StudioError) return error.details;
  if (error instanceof NonFiniteLossError || error instanceof EmptyResultError) return { step: error.step };
  if (error instanceof WeightTooLargeError) return { part: "weights" };
  if (error instanceof DeviceLostError) return { reason: lossReason(error.message) };
  if (error instanceof FileFormatError || error instanceof DatasetError) return { file: error.file };
  return {};
}
