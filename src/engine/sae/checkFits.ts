import { FileFormatError } from "../files/fileFormatError.ts";
import type { ModelConfig } from "../models/config.ts";
import type { SaeArrays } from "./layouts/layout.ts";

/** Throws `FileFormatError` with both numbers where an autoencoder cannot read a model's stream. */
export function checkFits(
  { inputSize, layer, hook }: Pick<SaeArrays, "inputSize" | "layer" | "hook">,
  { hiddenSize, layers }: Pick<ModelConfig, "hiddenSize" | "layers">,
): void {
  if (inputSize !== hiddenSize)
    throw new FileFormatError(
      "FIL-1",
      hook,
      `the autoencoder reads rows of ${inputSize} numbers, and the model's stream has ${hiddenSize}: ` +
        "choose one that was trained on this model.",
    );
  if (layer >= layers)
    throw new FileFormatError(
      "FIL-1",
      hook,
      `the autoencoder reads the stream after block ${layer}, and the last block of the model's ${layers} is ${layers - 1}: ` +
        "choose one of a block that is there.",
    );
}
