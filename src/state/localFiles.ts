/** Files from the person's disk: told apart, handed to the trainer, and taken over only when it accepts them. */
import type { RunConfig } from "../engine/training/config.ts";
import { importAdapter } from "./adapterStack.ts";
import { takeSource } from "./dataSources.ts";
import { localId } from "./link.ts";
import { dismissMessages, raiseMessage } from "./messageStore.ts";
import { asTold, type ReadingChoice } from "./readSource.ts";
import { addLog } from "./runStore.ts";
import { openSaeFiles } from "./saes.ts";
import { useSetupStore } from "./setupStore.ts";
import { useShelfStore } from "./shelfStore.ts";
import { isBusy, takeModel } from "./takeOver.ts";

/** Largest preference file that is read: beyond it the page and the trainer would run out of memory. */
export const largestDataBytes = 256 * 2 ** 20;

/** What a group of files is. */
export type FileKind = "model" | "adapter" | "data" | "sae" | "unknown";

/** Names of files that preference data comes in. */
const dataName = /\.(jsonl|ndjson|json|csv|tsv|parquet)(\.gz)?$|\.(gz|zip)$/;

/** Tells the files of a model, an adapter, a preference set and an autoencoder by their names. */
export function kindOfFiles(names: readonly string[]): FileKind {
  const lower = names.map((name) => name.toLowerCase());
  if (lower.some((name) => name === "cfg.json" || name.startsWith("sae_weights") || name.endsWith(".npz")))
    return "sae";
  if (lower.some((name) => /^adapter_(config\.json|model\.safetensors)$/.test(name))) return "adapter";
  if (lower.some((name) => /\.(safetensors|gguf)$/.test(name) || name === "config.json")) return "model";
  if (lower.every((name) => dataName.test(name))) return "data";
  return "unknown";
}

/** The end of a zip lists what is in it; that of a model or a set is far shorter than this. */
const zipListBytes = 2 ** 18;

/** Tells files by their names, and a zip by the names of what is in it. */
export async function kindOf(files: readonly File[]): Promise<FileKind> {
  const [file] = files;
  if (files.length !== 1 || file === undefined || !/\.zip$/i.test(file.name)) {
    return kindOfFiles(files.map(({ name }) => name));
  }
  const end = await file.slice(Math.max(0, file.size - zipListBytes)).text();
  if (end.includes("adapter_model.safetensors")) return "adapter";
  return /\.(safetensors|gguf)/.test(end) ? "model" : "data";
}

/** Opens files that were dropped or chosen; files of no known kind change nothing (FIL-1). */
export async function openFiles(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  dismissMessages("FIL-1", "FIL-2", "DAT-1");
  const kind = await kindOf(files);
  if (kind === "model") await openModel(files);
  else if (kind === "adapter") await openAdapter(files);
  else if (kind === "data") await openData(files);
  else if (kind === "sae") await openSaeFiles(files);
  else {
    const names = files.map(({ name }) => name);
    raiseMessage("FIL-1", { file: names.slice(0, 3).join(", ") });
    addLog({ level: "error", code: "FIL-1", message: `Not opened: ${names.slice(0, 3).join(", ")}.` });
  }
}

/** The files of a model among those of a folder: what no loader reads, such as checkpoints of other programs, stays on the disk. */
export function modelFilesOf(files: readonly File[]): File[] {
  const isInside = ({ webkitRelativePath }: File) => webkitRelativePath.split("/").length > 2;
  return files.filter(
    (file) => !isInside(file) && /\.(safetensors|gguf|zip|json|jinja|model|txt)$/i.test(file.name),
  );
}

/** Puts an adapter on the shelf; one that cannot be read is told like any file. */
async function openAdapter(files: readonly File[]): Promise<void> {
  if (await importAdapter(files)) return;
  raiseMessage("RUN-1", { message: useShelfStore.getState().refusal });
}

/** Files of a model that the trainer refused last, for another try with lighter weights. */
let refusedModel: readonly File[] = [];

/** Opens a model's files: a folder of safetensors, a GGUF file or a zip. */
export async function openModel(
  files: readonly File[],
  weights: RunConfig["baseWeights"] = useSetupStore.getState().config.baseWeights,
): Promise<void> {
  if (isBusy()) return;
  const { chosenFiles: previous, loaded: held } = useSetupStore.getState();
  useSetupStore.setState(({ chosenFiles, loaded }) => ({
    chosenFiles: { ...chosenFiles, model: files },
    // Other files under the same name are another model.
    loaded: loaded?.model === localId ? { ...loaded, model: "" } : loaded,
  }));
  if (await takeModel(localId, weights)) return;
  refusedModel = files;
  useSetupStore.setState(({ loaded, chosenFiles }) => ({
    chosenFiles: { ...chosenFiles, model: previous.model },
    // The trainer keeps the model it had when it refuses another.
    loaded: loaded?.model === "" && loaded.backend === held?.backend ? held : loaded,
  }));
}

/** Opens the model that was refused last with other weights. */
export function openRefusedModel(weights: RunConfig["baseWeights"]): Promise<void> {
  return openModel(refusedModel, weights);
}

/** Opens files of preference data; columns that are named are not asked about. */
export async function openData(files: readonly File[], choice: ReadingChoice = asTold): Promise<void> {
  if (files.length === 0 || isBusy() || isTooLarge(files)) return;
  dismissMessages("FIL-1", "FIL-2", "DAT-1");
  await takeSource({ id: localId, files }, choice);
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
