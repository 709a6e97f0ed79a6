/** What has to happen once other files or another set were taken over. */
import { edit } from "./editing.ts";
import { ensureLoaded, refreshPreflight, warmUp } from "./loading.ts";
import { dismissMessages, raiseMessage } from "./messageStore.ts";
import { beginRun, isRunActive, useRunStore } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";

/** Clears the screen of an ended run, loads what the present setup needs, and asks what a run will cost. */
export async function takeOver(): Promise<void> {
  dismissMessages("FIL-1", "FIL-2", "DAT-1");
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

/** True while a run goes on, which is then said: nothing else can be loaded meanwhile. */
export function isBusy(): boolean {
  if (!isRunActive(useRunStore.getState().phase)) return false;
  raiseMessage("RUN-1", { message: "A run is going on. Stop it first, then open the files again." });
  return true;
}
