/** What the trainer was asked of the loaded set, and when it has to be asked again. */
import { create } from "zustand";
import type { DataReading } from "../worker/protocol.ts";
import { createAsker, sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { download } from "./download.ts";
import { tellHub } from "./hub.ts";
import { forgetRows, refreshRows } from "./dataRows.ts";
import { raiseError } from "./messageStore.ts";
import { asTold, readSource } from "./readSource.ts";
import { addLog } from "./runStore.ts";
import { useSetupStore } from "./setupStore.ts";
import { isBusy, takeOver } from "./takeOver.ts";

/** What is wrong with the set. */
export const dataHealth = createAsker("dataHealth");

/** The first batch as it is trained. */
export const firstBatch = createAsker("firstBatch");

/** Splits of a data set on the Hub. */
export const hubData = createAsker("inspectHubData", { before: tellHub });

interface EmbeddedState {
  /** Sets that come with the studio by their ids; a sentence is why one could not be read. */
  readonly readings: Readonly<Record<string, DataReading | string>>;
}

/** What the sets that come with the studio look like. */
export const useEmbeddedStore = create<EmbeddedState>(() => ({ readings: {} }));

/** Counts the sets that were loaded: answers about an earlier one are outdated. */
export const useRevisionStore = create<{ readonly revision: number }>(() => ({ revision: 0 }));

/** Looks into a set that comes with the studio, once. */
export async function readEmbedded(id: string): Promise<void> {
  if (typeof useEmbeddedStore.getState().readings[id] === "object") return;
  let reading: DataReading | string;
  try {
    reading = await readSource({ id, files: null }, asTold);
  } catch (error) {
    reading = sentenceOf(error);
  }
  useEmbeddedStore.setState(({ readings }) => ({ readings: { ...readings, [id]: reading } }));
}

/** Reads the set with its present changes now, where that waits for the next run. */
export async function readNow(): Promise<void> {
  if (isBusy()) return;
  await takeOver().catch(raiseError);
}

/** Saves the set after its changes as JSON lines that TRL reads. */
export async function exportData(): Promise<void> {
  try {
    const files = await callTrainer("exportData", null);
    for (const { name, bytes } of files) download(name, new Blob([bytes.slice()]));
    addLog({ level: "info", message: `Saved ${files.map(({ name }) => name).join(" and ")}.` });
  } catch (error) {
    raiseError(error);
  }
}

/** Forgets what was said of a set as soon as another is loaded; the answer ends that. */
export function watchData(): () => void {
  return useSetupStore.subscribe(({ data }, previous) => {
    if (data === previous.data) return;
    dataHealth.forget();
    firstBatch.forget();
    if (data?.id === previous.data?.id && data?.label === previous.data?.label) refreshRows();
    else forgetRows();
    useRevisionStore.setState(({ revision }) => ({ revision: revision + 1 }));
  });
}
