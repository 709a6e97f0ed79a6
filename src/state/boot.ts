/** Starts the studio: a trainer, its device, its description, the link, the model and the data. */
import type { WorkerEvent } from "../worker/protocol.ts";
import type { WorkerPort } from "../worker/rpc.ts";
import { callTrainer, configureTrainer, openTrainer } from "./connection.ts";
import { watchData } from "./dataAnswers.ts";
import { beginVisit, isOwnEntry, settle, writeAddress } from "./editing.ts";
import { hearDownload } from "./downloads.ts";
import { watchAnswers } from "./features.ts";
import { putHeldAside } from "./heldSet.ts";
import { readFaults } from "./injections.ts";
import { linkVersion, readLink } from "./link.ts";
import { circumstances, ensureLoaded, warmUp, refreshPreflight } from "./loading.ts";
import { raiseMessage } from "./messageStore.ts";
import { readPlace, usePlaceStore } from "./place.ts";
import { reportDeath, reportDeviceLoss, reportFailedStart, reportFailure, starting } from "./recovery.ts";
import { hearRewardModel } from "./rewardModels.ts";
import { addLog, applyEvent, useRunStore } from "./runStore.ts";
import { followLink, watchSaes } from "./saes.ts";
import { hearSaeTraining, watchSaeTraining } from "./saeTraining.ts";
import { useSetupStore } from "./setupStore.ts";
import { refreshShelf, watchShelf } from "./shelf.ts";
import { isShelfId } from "./shelfStore.ts";
import { watchWeights } from "./weights.ts";

/** What the page knows when it starts. */
export interface StartOptions {
  /** Makes the worker; called again after it died. */
  readonly createPort: () => WorkerPort;
  readonly search: string;
  readonly isSecure: boolean;
}

/** Starts the trainer and loads what the address asks for; every failure becomes a message. */
export async function boot({ createPort, search, isSecure }: StartOptions): Promise<void> {
  const { injections, isInsecure } = readFaults(search);
  usePlaceStore.setState(readPlace(location.hash));
  watchSaes();
  watchSaeTraining();
  watchAnswers();
  watchData();
  watchShelf();
  watchWeights();
  circumstances.current = { isSecure: isSecure && !isInsecure, injections };
  configureTrainer(createPort, { onEvent: hear, onDeath: reportDeath });
  starting.finish = finishStart;
  openTrainer();
  await finishStart().catch(reportFailedStart);
  window.addEventListener("hashchange", followAddress);
}

/** Goes where the address says. Only a link that came from elsewhere changes the setup. */
function followAddress(): void {
  usePlaceStore.setState(readPlace(location.hash));
  if (isOwnEntry(window.history.state) || !location.hash.includes("?")) {
    writeAddress();
    return;
  }
  beginVisit();
  if (applyLink()) settle();
}

function hear(event: WorkerEvent): void {
  if (event.type === "sae") hearSaeTraining(event);
  if (event.type === "rewardModel") hearRewardModel(event);
  if (event.type === "download") hearDownload(event);
  if (event.type === "loading") useSetupStore.setState({ loadingBytes: event });
  applyEvent(event);
  if (event.type === "failed") reportFailure(event);
  if (event.type === "deviceLost") reportDeviceLoss(event.reason);
}

async function finishStart(): Promise<void> {
  // The description needs no device: menus are drawn while the GPU wakes.
  useSetupStore.setState({ description: await callTrainer("describe", null) });
  // A link may name a model that this browser keeps.
  if (namesKeptModel(location.hash)) await refreshShelf();
  applyLink();
  await ensureLoaded(useSetupStore.getState().config);
  starting.finish = null;
  useRunStore.setState(({ phase }) => ({ phase: phase === "waking" ? "ready" : phase }));
  await refreshPreflight();
  await warmUp();
}

function namesKeptModel(hash: string): boolean {
  return isShelfId(new URLSearchParams(hash.split("?")[1] ?? "").get("model") ?? "");
}

/** Takes over the address's settings; true when that changed anything. */
function applyLink(): boolean {
  const { description, config: previous } = useSetupStore.getState();
  if (description === null) return false;
  const { presetId, config, skipped, isNewer } = readLink(location.hash, description);
  if (skipped.length > 0 || isNewer) {
    const settings = skipped.map(({ setting, reason }) => `${setting} (${reason})`).join("; ");
    raiseMessage("LNK-1", {
      count: skipped.length,
      settings,
      link: location.href,
      newerThan: isNewer ? linkVersion : null,
    });
    addLog({ level: "warning", code: "LNK-1", message: `Skipped in the link: ${settings || "nothing"}.` });
  }
  putHeldAside();
  useSetupStore.setState({ presetId, config });
  void followLink();
  writeAddress();
  return JSON.stringify(previous) !== JSON.stringify(config);
}
