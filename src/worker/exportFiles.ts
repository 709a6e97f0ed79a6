/** What leaves the studio: an adapter that Python's PEFT loads, or the tuned weights after full fine-tuning, with their settings. */
import { trainableShape } from "../engine/adapters/lora.ts";
import { writePeftAdapter } from "../engine/adapters/peft.ts";
import { writeSafetensors } from "../engine/files/safetensors.ts";
import { toCheckpoint } from "../engine/models/checkpoint.ts";
import { toCheckpointAdapters, type CheckpointAdapters } from "../engine/models/checkpointAdapters.ts";
import type { Model } from "../engine/models/decoder.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { Checkpoint, ExportedFile } from "./protocol.ts";

/** Files of a checkpoint without the optimizer's moments, and the configuration; the adapter names its base by `id`. */
export function exportFiles(
  { model, id }: { readonly model: Model; readonly id: string },
  { config, checkpoint }: { readonly config: RunConfig; readonly checkpoint: Checkpoint },
): readonly ExportedFile[] {
  const arrays = new Map<string, { shape: number[]; values: Float32Array }>();
  for (const [name, values] of Object.entries(checkpoint.tensors)) {
    const shape = trainableShape(model, name, config.loraRank);
    if (shape !== null) arrays.set(name, { shape: [...shape], values });
  }
  const settings = new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`);
  const trained =
    config.tuning === "full"
      ? [{ name: "model.safetensors", bytes: writeSafetensors(toCheckpoint(model.config, arrays)) }]
      : adapterFiles(toCheckpointAdapters(model.config, arrays, config.loraAlpha), id);
  return [...trained, { name: "prefscope-config.json", bytes: settings }];
}

/** PEFT's files of adapters in the checkpoint's own names. */
export function adapterFiles({ arrays, ...settings }: CheckpointAdapters, baseModel: string) {
  return writePeftAdapter(arrays, { ...settings, baseModel });
}
