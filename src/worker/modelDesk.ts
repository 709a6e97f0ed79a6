/** Answers questions about models and adapters: what a Hub offers, what is kept, what stands on the loaded model, what leaves. */
import type { StoodModel } from "../engine/adapters/standing.ts";
import type { Model } from "../engine/models/decoder.ts";
import type { ModelFile } from "../engine/models/loadModel.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { createAdapterShelf } from "./adapterShelf.ts";
import { refuse } from "./errorReport.ts";
import type { OwnModel } from "./keptReference.ts";
import { embeddedModelFiles, type FetchFile } from "./library.ts";
import { createModelShelf, type ModelShelf } from "./modelShelf.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { ExportedFile, ModelCommands, StandingAdapters, WorkerEvent } from "./protocol.ts";
import type { Handlers } from "./session.ts";

/** What the desk needs of the session. */
export interface ModelDeskSources {
  /** Absent: what is kept is gone with the page. */
  readonly store: Promise<FileStore> | undefined;
  readonly emit: (event: WorkerEvent) => void;
  readonly fetchFile: FetchFile;
  readonly model: () => OwnModel | null;
  /** Changes what the device holds, after everything that uses it. */
  readonly change: <Answer>(work: () => Promise<Answer>) => Promise<Answer>;
  readonly isRunning: () => boolean;
  /** Puts the same model with other adapters on it in place of the loaded one. */
  readonly replace: (model: Model) => void;
  /** PEFT's files of the last run's adapter; refuses where there was none. */
  readonly savedRun: () => Promise<readonly ExportedFile[]>;
}

/** Files of a model by its id, with what it is called. */
export interface FoundModel {
  readonly files: readonly ModelFile[];
  /** Null for a model that comes along, which has its own. */
  readonly label: string | null;
}

/** The desk. */
export interface ModelDesk {
  readonly handlers: Pick<Handlers, keyof ModelCommands>;
  /** The files of a model that comes along or is on the shelf; refuses any other. */
  readonly filesOf: (id: string) => Promise<FoundModel>;
  /** Frees what stands on a model that is about to go. */
  readonly forgetStanding: () => void;
  /** Refuses a run whose adapters are not those that stand on the model. */
  readonly refuseOthers: (adapters: RunConfig["adapters"]) => void;
  readonly hub: Pick<ModelShelf, "openHubData"> & Pick<Handlers, "inspectHubData">;
}

const nothing: StandingAdapters = { adapters: [], rank: 0 };

/** Opens the desk. */
export function createModelDesk(sources: ModelDeskSources): ModelDesk {
  const { emit, model } = sources;
  const store = sources.store ?? Promise.resolve(memoryStore());
  const present = () => model() ?? refuse("CFG-1", "No model is loaded. Load a model first.");
  const configOf = () => model()?.model.config ?? null;
  const adapters = createAdapterShelf({ store: () => store, now: Date.now });
  const shelf = createModelShelf({
    store,
    emit,
    fitOf: () => Promise.resolve({}),
    listAdapters: () => adapters.list(configOf()),
    removeAdapter: async (id) => {
      if (!adapters.owns(id)) return false;
      await adapters.remove(id);
      return true;
    },
  });
  let standing: { readonly stood: StoodModel; readonly answer: StandingAdapters } | null = null;
  const forgetStanding = () => {
    standing?.stood.dispose();
    standing = null;
  };

  return {
    filesOf: async (id) => {
      if (!isOnShelf(id)) return { files: await embeddedModelFiles(id, sources.fetchFile), label: null };
      const kept = await shelf.find(id);
      return { files: await shelf.shelfFiles(id), label: kept?.label ?? id };
    },
    forgetStanding,
    refuseOthers: (asked) => {
      const { adapters: held } = standing?.answer ?? nothing;
      const isSame =
        asked.length === held.length &&
        asked.every(({ id, scale }, place) => held[place]?.id === id && held[place]?.scale === scale);
      if (isSame) return;
      refuse(
        "CFG-1",
        "The adapters of this setup do not stand on the model: apply them on the Models screen.",
      );
    },
    hub: { openHubData: shelf.openHubData, inspectHubData: shelf.handlers.inspectHubData },
    handlers: {
      ...shelf.handlers,
      importAdapter: ({ files }) => adapters.keep(files, { origin: "imported" }, configOf()),
      keepAdapter: async ({ label }) =>
        adapters.keep(await sources.savedRun(), { origin: "run", label }, configOf()),
      useAdapters: (question) =>
        sources.change(async () => {
          if (sources.isRunning())
            refuse("RUN-1", "A run is going on. Stop it first, then change the adapters.");
          const next = await adapters.stand(present().model, question.adapters);
          sources.replace(next.stood.model);
          forgetStanding();
          standing = next;
          return next.answer;
        }),
      exportModel: () => refuse("RUN-1", "This is not built yet."),
      uploadModel: () => refuse("RUN-1", "This is not built yet."),
      weightsPerplexity: () => refuse("RUN-1", "This is not built yet."),
    },
  };
}

function isOnShelf(id: string): boolean {
  return id.startsWith("hub:") || id.startsWith("disk:");
}
