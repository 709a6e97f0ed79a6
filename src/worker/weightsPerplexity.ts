/** What converting a model's weights changes of what it expects: perplexity as it lies on the device, and as its file is. */
import type { TokenPair } from "../engine/data/tokenPair.ts";
import type { LoadedModel, ModelFile } from "../engine/models/loadModel.ts";
import { openModel } from "../engine/models/modelSource.ts";
import { openStoredCheckpoint } from "../engine/models/checkpoint.ts";
import type { Device } from "../engine/tensor/device.ts";
import { probeRoom } from "../engine/tensor/probeRoom.ts";
import type { BaseWeights } from "../engine/training/config.ts";
import { neededBytes } from "../engine/training/fit.ts";
import { perplexityOf } from "../engine/training/perplexity.ts";
import { refuse } from "./errorReport.ts";
import { loadOnto } from "./library.ts";
import type { ModelCommands } from "./modelProtocol.ts";

/** Held-out answers that are read: a few thousand tokens tell two roundings apart. */
const ANSWERS = 64;

/** What the question is about. */
export interface PerplexitySources {
  readonly device: Device;
  readonly loaded: Pick<LoadedModel, "model" | "weights" | "dispose">;
  /** The files that it was loaded from, and how. */
  readonly files: readonly ModelFile[];
  readonly weights: BaseWeights;
  readonly heldout: readonly TokenPair[];
  /** Takes the place of `loaded`, which is disposed; null where it could not be loaded again, and nothing is on the device. */
  readonly replace: (again: LoadedModel | null) => Promise<void>;
}

/**
 * Perplexity of held-out chosen answers under the loaded model and under the weights of its file: those are loaded beside
 * it where the device has room, and in its place, with the model loaded again afterwards, where it has none.
 */
export async function weightsPerplexity(
  sources: PerplexitySources,
): Promise<ModelCommands["weightsPerplexity"]["answer"]> {
  const { device, files, weights } = sources;
  const pairs = sources.heldout.slice(0, ANSWERS);
  const loaded = await perplexityOf(sources.loaded.model, pairs);
  if (sources.loaded.weights.rounding.length === 0) return { loaded, kept: loaded };
  // Blocks that no kernel reads were rounded even where they were kept.
  const own = weights === "keep" ? "f32" : "keep";
  if (await hasRoomBeside(sources, own)) return { loaded, kept: await perplexityIn(own, sources) };
  sources.loaded.dispose();
  try {
    return { loaded, kept: await perplexityIn(own, sources) };
  } finally {
    await loadAgain(sources);
  }
}

/** Rejects with what to do where the model cannot be loaded again. */
async function loadAgain({ device, files, weights, replace }: PerplexitySources): Promise<void> {
  let again: LoadedModel | null = null;
  try {
    again = await loadOnto(device, files, { weights });
  } catch (error) {
    await replace(null);
    const reason = error instanceof Error ? error.message : String(error);
    refuse(
      "RUN-1",
      `The model was taken off the device to measure its file, and could not be loaded again: ${reason} Open it again.`,
    );
  }
  await replace(again);
}

async function hasRoomBeside({ device, files }: PerplexitySources, own: BaseWeights): Promise<boolean> {
  const { config, tensors, file } = await openModel(files);
  const needed = neededBytes(config, openStoredCheckpoint(config, tensors, file), own);
  return (await probeRoom(device, needed)) >= needed;
}

async function perplexityIn(own: BaseWeights, sources: PerplexitySources): Promise<number> {
  const { device, files, heldout } = sources;
  const { model, dispose } = await loadOnto(device, files, { weights: own });
  try {
    return await perplexityOf(model, heldout.slice(0, ANSWERS));
  } finally {
    dispose();
  }
}
