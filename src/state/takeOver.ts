/** Puts another part in the place of one that the setup has, at once: no run may be going on. */
import { defaultConfig, type RunConfig } from "../engine/training/config.ts";
import { edit, ofOneModel } from "./editing.ts";
import { localId } from "./link.ts";
import { ensureLoaded, ensureModel, refreshPreflight, warmUp } from "./loading.ts";
import { dismissMessages, raiseError, raiseMessage } from "./messageStore.ts";
import { addLog, beginRun, isRunActive, useRunStore } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { removeFromShelf } from "./shelf.ts";

/** True while a run goes on, which is told. */
export function isBusy(): boolean {
  if (!isRunActive(useRunStore.getState().phase)) return false;
  raiseMessage("RUN-1", { message: "A run is going on. Stop it first, then try again." });
  return true;
}

/** Clears the screen of an ended run, loads what the setup needs, and asks what a run will cost. */
export async function takeOver(): Promise<void> {
  dismissMessages("FIL-1", "FIL-2", "DAT-1", "GPU-5");
  if (useSetupStore.getState().runningConfig !== null) {
    useSetupStore.setState({ runningConfig: null });
    beginRun(null);
    useRunStore.setState({ phase: "ready" });
  }
  edit({});
  await ensureLoaded(useSetupStore.getState().config);
  await refreshPreflight();
  await warmUp();
}

/** Trains a model from now on whose matrices lie as asked; changes nothing when the trainer refuses it. True once it is loaded. */
export async function takeModel(model: string, baseWeights: RunConfig["baseWeights"]): Promise<boolean> {
  if (isBusy()) return false;
  const { config: previous } = useSetupStore.getState();
  const isOther = model !== previous.model || model === localId;
  const change = { ...(isOther ? ofOneModel : {}), model, baseWeights };
  try {
    await ensureModel({ ...previous, ...change });
    // Settings may have been edited while a large model came.
    const { model: loaded, config: present } = useSetupStore.getState();
    const maxTokens = Math.min(present.maxTokens, loaded?.maxPositions ?? present.maxTokens);
    useSetupStore.setState({ config: { ...present, ...change, maxTokens } });
    addLog({ level: "info", message: `Opened the model ${loaded?.label ?? model}.` });
  } catch (error) {
    raiseError(error, { model });
    return false;
  }
  await takeOver().catch(raiseError);
  return true;
}

/** Deletes a model from the shelf; one that is in use gives way to the studio's own first. */
export async function deleteModel(id: string, label: string): Promise<boolean> {
  const isInUse = useSetupStore.getState().config.model === id;
  if (isInUse && !(await takeModel(defaultConfig.model, "keep"))) return false;
  return removeFromShelf(id, label);
}
