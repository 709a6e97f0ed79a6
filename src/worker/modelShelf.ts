/** The model shelf: what a Hub offers, what is kept in the browser, and everything in between. */
import { readRange, sizeOf, type FileBytes } from "../engine/files/fileBytes.ts";
import { incompleteFile } from "../engine/files/fileFormatError.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { refuse } from "./errorReport.ts";
import { createDownloadProgress } from "./hub/downloadProgress.ts";
import { downloadVariant } from "./hub/downloadVariant.ts";
import { browserDoor, createHubAccess, type HubDoor } from "./hub/hubAccess.ts";
import { uploadToHub } from "./hub/hubClient.ts";
import { inspectHubData, openHubData } from "./hub/hubData.ts";
import { parseHubId, repositoryName } from "./hub/hubId.ts";
import { inspectHub, type FitOf } from "./hub/inspectHub.ts";
import type { OpenFile } from "./hub/openHeaders.ts";
import {
  folderOf,
  markUsed,
  modelsFolder,
  readRecord,
  readShelf,
  storedAs,
  summaryOf,
  writeComing,
  writeComplete,
  type ShelfRecord,
} from "./hub/shelfRecord.ts";
import type { DownloadEvent, Shelf, ShelfAdapter, ShelfModel, StorageUse } from "./protocol.ts";
import type { Handlers } from "./session.ts";

/** The commands that the shelf answers. */
type ShelfCommand =
  | "setHub"
  | "inspectHub"
  | "inspectHubData"
  | "downloadModel"
  | "pauseDownload"
  | "keepModel"
  | "listShelf"
  | "removeFromShelf";

/** What the shelf works with. */
export interface ModelShelfOptions {
  readonly fitOf: FitOf;
  /** Absent: nothing can be kept. */
  readonly store: Promise<FileStore> | undefined;
  readonly emit: (event: DownloadEvent) => void;
  /** Adapters that are kept beside the models. */
  readonly listAdapters: () => Promise<readonly ShelfAdapter[]>;
  /** False where there is no such adapter. */
  readonly removeAdapter: (id: string) => Promise<boolean>;
  /** The network and the clock; the browser's own unless a test stands in. */
  readonly door?: HubDoor;
  /** Milliseconds since 1970. */
  readonly today?: () => number;
}

/** The shelf: its commands, and what other parts of the worker take from it. */
export interface ModelShelf {
  readonly handlers: Pick<Handlers, ShelfCommand>;
  /** Files of a complete model where they lie; it counts as used. Refuses one that is not here or not complete. */
  readonly shelfFiles: (id: string) => Promise<OpenFile[]>;
  /** A model of the shelf; null where it is not here. */
  readonly find: (id: string) => Promise<ShelfModel | null>;
  /** A file of rows on the Hub, of which only what is read is downloaded. */
  readonly openHubData: (id: string) => Promise<OpenFile>;
  /** Uploads files and answers with the address of their repository. */
  readonly uploadFiles: (
    files: readonly OpenFile[],
    target: { readonly repo: string; readonly isPrivate: boolean },
  ) => Promise<string>;
}

interface RunningDownload {
  readonly stop: AbortController;
  readonly ended: Promise<ShelfModel>;
}

/** Bytes that are copied at a time. */
const COPIED_BYTES = 8 << 20;

/** Creates the shelf; nothing is asked of a Hub before the page asks. */
export function createModelShelf(options: ModelShelfOptions): ModelShelf {
  const { emit, door = browserDoor, today = Date.now } = options;
  const access = createHubAccess(door);
  const downloads = new Map<string, RunningDownload>();
  const keeping = new Set<string>();
  const needStore = async () =>
    (await options.store) ?? refuse("RUN-1", "This browser keeps no files, so no model can be kept.");

  const find = async (id: string): Promise<ShelfModel | null> => {
    const store = await needStore();
    const kept = await readRecord(store, id);
    return kept && summaryOf(store, kept, await store.sizes());
  };
  const needModel = async (id: string) =>
    (await find(id)) ??
    refuse("CFG-1", `There is no model "${id}" on the shelf: download or open it under Models.`);
  const download = async (id: string, stop: AbortController): Promise<ShelfModel> => {
    const store = await needStore();
    try {
      await downloadVariant({ id, access, door, store, emit, signal: stop.signal, today });
      return await needModel(id);
    } catch (error) {
      if (stop.signal.aborted) refuse("RUN-1", "The download was paused. What has come is kept.");
      throw error;
    }
  };
  const pause = async (id: string) => {
    const running = downloads.get(id);
    running?.stop.abort();
    await running?.ended.catch(() => undefined);
  };
  const list = async (): Promise<Shelf> => {
    const store = await needStore();
    const isBusy = (folder: string) =>
      [...keeping, ...downloads.keys()].some((id) => folderOf(id) === folder);
    return {
      models: await readShelf(store, isBusy),
      adapters: await options.listAdapters(),
      storage: await storageUse(store),
    };
  };

  const handlers: ModelShelf["handlers"] = {
    setHub: (settings) => {
      access.set(settings);
      return null;
    },
    inspectHub: (question) => inspectHub(access, options.fitOf, question),
    inspectHubData: (question) => inspectHubData(access, question),
    downloadModel: ({ id }) => {
      parseHubId(id);
      const running = downloads.get(id);
      if (running !== undefined) return running.ended;
      const stop = new AbortController();
      const ended = download(id, stop).finally(() => downloads.delete(id));
      downloads.set(id, { stop, ended });
      return ended;
    },
    pauseDownload: async ({ id }) => {
      await pause(id);
      return null;
    },
    keepModel: async ({ label, files }) => {
      const store = await needStore();
      const id = await freeId(store, label, keeping);
      try {
        await keepFiles({ id, label, files, store, emit, now: door.now, today });
      } catch (error) {
        await store.removeFolder(folderOf(id)).catch(() => undefined);
        throw error;
      } finally {
        keeping.delete(id);
      }
      return needModel(id);
    },
    listShelf: list,
    removeFromShelf: async ({ id }) => {
      await pause(id);
      const store = await needStore();
      if (!(await options.removeAdapter(id))) await store.removeFolder(folderOf(id));
      return list();
    },
  };
  return {
    handlers,
    find,
    shelfFiles: async (id) => {
      const store = await needStore();
      const model = await needModel(id);
      if (model.presentBytes < model.totalBytes)
        throw incompleteFile(model.label, model.presentBytes, model.totalBytes);
      const files = await Promise.all(
        model.files.map(async ({ name, bytes }) => {
          const blob = await store.openBlob(storedAs(id, name));
          return {
            name,
            bytes:
              blob ??
              refuse("FIL-2", `"${name}" of ${bytes} bytes is gone: delete the model and get it again.`),
          };
        }),
      );
      await markUsed(store, id, today());
      return files;
    },
    openHubData: (id) => openHubData(access, id),
    uploadFiles: (files, { repo, isPrivate }) =>
      uploadToHub(access, files, { repo: repositoryName(repo, access.hubUrl()), isPrivate }),
  };
}

async function storageUse(store: FileStore): Promise<StorageUse> {
  const byKind = { models: 0, adapters: 0, reference: 0, other: 0 };
  for (const [name, bytes] of await store.sizes()) {
    const folder = name.slice(0, Math.max(0, name.indexOf("/")));
    const kind =
      folder === modelsFolder || folder === "adapters" || folder === "reference" ? folder : "other";
    byKind[kind] += bytes;
  }
  const { usedBytes, quotaBytes } = await store.estimate();
  const counted = Object.values(byKind).reduce((sum, bytes) => sum + bytes, 0);
  return { usedBytes: usedBytes ?? counted, quotaBytes, isLasting: store.isLasting, byKind };
}

/** An id for files of a disk that no other model has, put among those that are being kept. */
async function freeId(store: FileStore, label: string, keeping: Set<string>): Promise<string> {
  for (let copy = 1; ; copy += 1) {
    const id = copy === 1 ? `disk:${label}` : `disk:${label} (${copy})`;
    if ((await readRecord(store, id)) !== null || keeping.has(id)) continue;
    keeping.add(id);
    return id;
  }
}

interface KeptFiles extends Pick<ModelShelfOptions, "emit"> {
  readonly id: string;
  readonly label: string;
  readonly files: readonly { readonly name: string; readonly bytes: FileBytes }[];
  readonly store: FileStore;
  readonly now: () => number;
  readonly today: () => number;
}

async function keepFiles({ id, label, files, store, emit, now, today }: KeptFiles): Promise<void> {
  const sizes = files.map(({ name, bytes }) => ({ name, bytes: sizeOf(bytes) }));
  const empty = sizes.find(({ bytes }) => bytes === 0);
  if (files.length === 0 || empty !== undefined)
    refuse("FIL-1", empty === undefined ? "There are no files to keep." : `${empty.name}: it is empty.`);
  const record: ShelfRecord = {
    version: 1,
    id,
    label,
    origin: "disk",
    source: "from the disk",
    license: null,
    files: sizes.map((file) => ({ ...file, etag: "" })),
    addedAt: today(),
  };
  const progress = createDownloadProgress({ id, files: sizes, present: () => 0, emit, now });
  await writeComing(store, record);
  for (const { name, bytes } of files) {
    const place = storedAs(id, name);
    for (let at = 0; at < sizeOf(bytes); at += COPIED_BYTES) {
      const piece = Uint8Array.from(await readRange(bytes, at, at + COPIED_BYTES));
      await store.append(place, piece, at);
      progress.set(name, at + piece.length);
    }
    await store.finish(place);
  }
  await writeComplete(store, record);
  progress.tell("done");
}
