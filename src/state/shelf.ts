/** The shelf of models: listed, filled from a disk, used and emptied. */
import type { Shelf } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { handOver } from "./loading.ts";
import { addLog } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { useShelfStore, withShelf } from "./shelfStore.ts";

/** Lists the shelf once a model is loaded, and whenever another is: what fits it has changed. The answer ends that. */
export function watchShelf(): () => void {
  let known = useSetupStore.getState().model;
  return useSetupStore.subscribe(({ model, loading }) => {
    if (loading !== null || model === known) return;
    known = model;
    void refreshShelf();
  });
}

/** Asks what is on the shelf now. */
export async function refreshShelf(): Promise<void> {
  try {
    takeShelf(await callTrainer("listShelf", null));
  } catch (error) {
    useShelfStore.setState({ refusal: sentenceOf(error) });
  }
}

/** Asks once more after a list that did not come. */
export function listAgain(): Promise<void> {
  useShelfStore.setState({ refusal: null });
  return refreshShelf();
}

/** Shows what is kept, and offers its models to the setup. */
function takeShelf(shelf: Shelf): void {
  useShelfStore.setState({ shelf });
  useSetupStore.setState(({ description }) => ({
    description: description && withShelf(description, shelf),
  }));
}

/** Does one thing with the shelf and lists it again; true when it worked, and otherwise says why not. */
export async function workOnShelf(words: string, work: () => Promise<unknown>): Promise<boolean> {
  useShelfStore.setState({ working: words, refusal: null });
  try {
    await work();
    return true;
  } catch (error) {
    useShelfStore.setState({ refusal: sentenceOf(error) });
    return false;
  } finally {
    await refreshShelf();
    useShelfStore.setState({ working: null });
  }
}

/** Deletes a model, an unfinished download or an adapter. */
export function removeFromShelf(id: string, label: string): Promise<boolean> {
  return workOnShelf(`Deleting ${label}`, () => callTrainer("removeFromShelf", { id }));
}

/** Keeps a model's files from a disk. */
export function keepModel(label: string, files: readonly File[]): Promise<boolean> {
  return workOnShelf(`Keeping ${label}`, async () => {
    const model = await callTrainer("keepModel", { label, files: handOver(files) });
    addLog({ level: "info", message: `Kept ${model.label} on the shelf.` });
  });
}
