/** A shelf before a loopback Hub: no waiting, a clock of its own, small ranges. */
import { reportError } from "../../src/worker/errorReport.ts";
import type { HubDoor } from "../../src/worker/hub/hubAccess.ts";
import { createModelShelf, type ModelShelfOptions } from "../../src/worker/modelShelf.ts";
import type { DownloadEvent, ErrorReport } from "../../src/worker/protocol.ts";
import { memoryStore } from "../../src/storage/memoryStore.ts";
import { hubCommit } from "./loopbackHub.ts";

/** The repository that is there from the start. */
export const repo = "acme/tiny";
/** Its full weights. */
export const id = `hub:${repo}@${hubCommit}`;
/** Their name. */
export const weights = "model.safetensors";
/** 320 rows of 8 numbers: 10,240 bytes and their header, in ranges of 4096. */
export const rows = 320;
const rangeBytes = 4096;

/** Opens a shelf; what a test needs otherwise it gives. */
export function openShelf(
  { url }: { readonly url: string },
  { door, ...options }: Partial<Omit<ModelShelfOptions, "door">> & { readonly door?: Partial<HubDoor> } = {},
) {
  const events: DownloadEvent[] = [];
  const waits: number[] = [];
  const clock = { ms: 0 };
  const store = memoryStore();
  const shelf = createModelShelf({
    store: Promise.resolve(store),
    emit: (event) => events.push(event),
    fitOf: async () => ({ f32: { verdict: "fits", neededBytes: 1, availableBytes: 2 } }),
    listAdapters: async () => [],
    removeAdapter: async () => false,
    today: () => 1000,
    ...options,
    door: {
      fetch: (address, init) => fetch(address, init),
      isOffline: () => false,
      wait: async (ms) => void waits.push(ms),
      now: () => (clock.ms += 50),
      rangeBytes,
      ...door,
    },
  });
  void shelf.handlers.setHub({ hubUrl: url, token: null });
  return { ...shelf, ...shelf.handlers, store, events, waits };
}

/** Why something was refused, as it crosses the wall. */
export async function failureOf(work: () => unknown): Promise<ErrorReport> {
  try {
    await work();
  } catch (error) {
    return reportError(error);
  }
  throw new Error("It did not fail.");
}

/** All bytes of a file. */
export async function bytesOf(file: Blob | Uint8Array): Promise<Uint8Array> {
  return file instanceof Blob ? new Uint8Array(await file.arrayBuffer()) : file;
}
