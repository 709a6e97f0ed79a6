/** Answers questions about models and adapters: what a Hub offers, what is kept, what stands on the loaded model, what leaves. */
import type { ModelFile } from "../engine/models/modelSource.ts";
import type { Device } from "../engine/tensor/device.ts";
import { fitOf } from "../engine/training/fit.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { createAdapterDesk, type AdapterDesk, type AdapterDeskSources } from "./adapterDesk.ts";
import { embeddedModelFiles, type FetchFile } from "./library.ts";
import { sweepLeaving } from "./leaving.ts";
import type { ModelCommands, WorkerEvent } from "./protocol.ts";
import { createModelShelf, type ModelShelf } from "./modelShelf.ts";
import type { Handlers } from "./session.ts";

/** What the desk needs of the session. */
export interface ModelDeskSources extends Omit<AdapterDeskSources, "store" | "now"> {
  /** Absent: what is kept is gone with the page. */
  readonly store: Promise<FileStore> | undefined;
  readonly emit: (event: WorkerEvent) => void;
  readonly fetchFile: FetchFile;
  readonly device: () => Device | null;
}

/** Files of a model by its id, with what it is called and may be used for. */
export interface FoundModel {
  readonly files: readonly ModelFile[];
  /** Null for a model that comes along, which has its own. */
  readonly label: string | null;
  readonly license: string | null;
}

/** The desk. */
export interface ModelDesk extends Pick<AdapterDesk, "provide" | "forget" | "standing"> {
  readonly handlers: Pick<Handlers, Exclude<keyof ModelCommands, "weightsPerplexity">>;
  /** The files of a model that comes along or is on the shelf; refuses any other. */
  readonly filesOf: (id: string) => Promise<FoundModel>;
  readonly hub: Pick<ModelShelf, "openHubData"> & Pick<Handlers, "inspectHubData">;
}

/** Opens the desk. */
export function createModelDesk(sources: ModelDeskSources): ModelDesk {
  const store = sources.store ?? Promise.resolve(memoryStore());
  const adapters = createAdapterDesk({ ...sources, store: () => store, now: Date.now });
  const shelf = createModelShelf({
    store,
    emit: sources.emit,
    fitOf: async (headers) => {
      const device = sources.device();
      return device === null ? {} : fitOf(headers, device);
    },
    listAdapters: () => adapters.shelf.list(sources.loaded()?.model.config ?? null),
    removeAdapter: async (id) => {
      if (!adapters.shelf.owns(id)) return false;
      await adapters.shelf.remove(id);
      return true;
    },
  });
  let leaving: Promise<unknown> = Promise.resolve();
  /** What leaves lies in one place until it is saved or uploaded: the next waits for it. */
  const oneByOne = <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const done = leaving.then(work);
    leaving = done.catch(() => undefined);
    return done;
  };
  const makeFiles = async (question: ModelCommands["exportModel"]["question"]) =>
    adapters.handlers.exportModel(question);
  return {
    provide: adapters.provide,
    forget: adapters.forget,
    standing: adapters.standing,
    filesOf: async (id) => {
      if (!isOnShelf(id))
        return { files: await embeddedModelFiles(id, sources.fetchFile), label: null, license: "apache-2.0" };
      const kept = await shelf.find(id);
      return {
        files: await shelf.shelfFiles(id),
        label: kept?.label ?? id,
        license: kept?.license ?? null,
      };
    },
    hub: { openHubData: shelf.openHubData, inspectHubData: shelf.handlers.inspectHubData },
    handlers: {
      ...shelf.handlers,
      ...adapters.handlers,
      exportModel: (question) => oneByOne(() => makeFiles(question)),
      uploadModel: ({ kind, ...target }) =>
        oneByOne(async () => {
          try {
            return { url: await shelf.uploadFiles(await makeFiles({ kind, isZip: false }), target) };
          } finally {
            await sweepLeaving(await store).catch(() => undefined);
          }
        }),
    },
  };
}

function isOnShelf(id: string): boolean {
  return id.startsWith("hub:") || id.startsWith("disk:");
}
