/** A model's files that were chosen on the Models screen: used where they lie, or kept on the shelf. */
import { create } from "zustand";
import { kindOf, modelFilesOf, openFiles, openModel } from "./localFiles.ts";
import { dismissMessages, raiseMessage } from "./messageStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { keepModel } from "./shelf.ts";

interface DiskState {
  readonly files: readonly File[];
  /** What it will be called on the shelf. */
  readonly label: string;
}

/** The chosen files. */
export const useDiskStore = create<DiskState>(() => ({ files: [], label: "" }));

/** Takes chosen or dropped files: those of a model wait for what is to be done with them, all others are opened. */
export async function chooseDiskFiles(chosen: readonly File[]): Promise<void> {
  if (chosen.length === 0) return;
  const files = modelFilesOf(chosen);
  if ((await kindOf(files)) !== "model") {
    await openFiles(chosen);
    return;
  }
  dismissMessages("FIL-1", "FIL-2");
  for (const file of files) {
    if (!/\.gguf$/i.test(file.name) || (await file.slice(0, 4).text()) === "GGUF") continue;
    raiseMessage("FIL-1", { file: file.name, message: 'It does not begin with "GGUF", as such files do.' });
    return;
  }
  useDiskStore.setState({ files, label: labelOf(files) });
}

/** The folder's name, or that of the file with the weights. */
function labelOf(files: readonly File[]): string {
  const [folder = ""] = files[0]?.webkitRelativePath.split("/") ?? [];
  const weights = files.find(({ name }) => /\.(gguf|zip|safetensors)$/i.test(name)) ?? files[0];
  return folder || (weights?.name ?? "").replace(/\.\w+$/, "");
}

/** Calls the model something else. */
export function nameDiskModel(label: string): void {
  useDiskStore.setState({ label });
}

/** Lets the chosen files be. */
export function forgetDiskModel(): void {
  useDiskStore.setState({ files: [], label: "" });
}

/** Trains the chosen model from now on, read where it lies. */
export async function openDiskModel(): Promise<void> {
  const { files } = useDiskStore.getState();
  await openModel(files);
  // After a refusal the files wait for another try.
  if (useSetupStore.getState().chosenFiles.model === files) forgetDiskModel();
}

/** Copies the chosen model onto the shelf. */
export async function keepDiskModel(): Promise<void> {
  const { files, label } = useDiskStore.getState();
  if (await keepModel(label.trim() || labelOf(files), files)) forgetDiskModel();
}
