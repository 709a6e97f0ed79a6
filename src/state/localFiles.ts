/** Files from the person's disk: told apart, handed to the trainer, and taken over only when it accepts them. */
import { callTrainer } from "./connection.ts";
import { takeSource } from "./dataSources.ts";
import { noFeatures } from "./editing.ts";
import { localId } from "./link.ts";
import { handOver } from "./loading.ts";
import { dismissMessages, raiseError, raiseMessage } from "./messageStore.ts";
import { addLog } from "./runStore.ts";
import { openSaeFiles } from "./saes.ts";
import { useSetupStore } from "./setupStore.ts";
import { isBusy, takeOver } from "./takeOver.ts";

/** Largest preference file that is read: beyond it the page and the trainer would run out of memory. */
export const largestDataBytes = 256 * 2 ** 20;

/** What a group of files is. */
export type FileKind = "model" | "data" | "sae" | "unknown";

/** Names of files that preference data comes in. */
const dataName = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$|\.(gz|zip)$/;

/** Tells the files of a model, of a preference set and of an autoencoder by their names. */
export function kindOfFiles(names: readonly string[]): FileKind {
  const lower = names.map((name) => name.toLowerCase());
  if (lower.some((name) => name === "cfg.json" || name.startsWith("sae_weights") || name.endsWith(".npz")))
    return "sae";
  if (lower.some((name) => name.endsWith(".safetensors") || name === "config.json")) return "model";
  if (lower.every((name) => dataName.test(name))) return "data";
  return "unknown";
}

/** Opens files that were dropped or chosen; files of no known kind change nothing (FIL-1). */
export async function openFiles(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  dismissMessages("FIL-1", "FIL-2", "DAT-1");
  const kind = kindOfFiles(files.map(({ name }) => name));
  if (kind === "model") await openModel(files);
  else if (kind === "data") await openData(files);
  else if (kind === "sae") await openSaeFiles(files);
  else {
    const names = files.map(({ name }) => name);
    raiseMessage("FIL-1", { file: names.slice(0, 3).join(", ") });
    addLog({ level: "error", code: "FIL-1", message: `Not opened: ${names.slice(0, 3).join(", ")}.` });
  }
}

/** Opens a Hugging Face model folder. */
export async function openModel(files: readonly File[]): Promise<void> {
  if (isBusy()) return;
  const previous = useSetupStore.getState();
  try {
    useSetupStore.setState({ loading: "model" });
    const weights = previous.config.baseWeights;
    const model = await callTrainer("loadModel", { id: localId, files: handOver(files), weights });
    const maxTokens = Math.min(previous.config.maxTokens, model.maxPositions);
    const config = { ...previous.config, ...noFeatures, model: localId, maxTokens };
    useSetupStore.setState(({ loaded, chosenFiles }) => ({
      model,
      config,
      chosenFiles: { ...chosenFiles, model: files },
      loaded: loaded && { ...loaded, model: localId, weights, data: "" },
      preflight: null,
      secondsPerStep: null,
    }));
    addLog({ level: "info", message: `Opened the model ${model.label}.` });
    await takeOver();
  } catch (error) {
    raiseError(error);
  } finally {
    useSetupStore.setState({ loading: null });
  }
}

/** Opens files of preference data. */
export async function openData(files: readonly File[]): Promise<void> {
  if (files.length === 0 || isBusy() || isTooLarge(files)) return;
  dismissMessages("FIL-1", "FIL-2", "DAT-1");
  await takeSource({ id: localId, files });
}

/** Refuses a preference file over the limit before any of it is read. */
function isTooLarge(files: readonly File[]): boolean {
  const file = files.find(({ size }) => size > largestDataBytes);
  if (file === undefined) return false;
  const megabytes = (bytes: number) => Math.ceil(bytes / 2 ** 20);
  const message = `It has ${megabytes(file.size)} MB; a preference file may have ${megabytes(largestDataBytes)} MB.`;
  raiseMessage("FIL-1", { file: file.name, message, isTooLarge: 1 });
  addLog({ level: "error", code: "FIL-1", message: `Not opened: ${file.name}. ${message}` });
  return true;
}
