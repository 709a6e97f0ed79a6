/** Adapters on the loaded model, and what leaves the studio: answers for the session, which owns model and run. */
import type { StoodModel } from "../engine/adapters/standing.ts";
import type { Model } from "../engine/models/decoder.ts";
import { openModel, type ModelFile } from "../engine/models/modelSource.ts";
import type { BaseWeights } from "../engine/training/config.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { createAdapterShelf, type AdapterShelf } from "./adapterShelf.ts";
import { refuse } from "./errorReport.ts";
import { adapterOf, exportModel, type ExportedRun, type ExportSources } from "./exporting.ts";
import type { ModelCommands, StandingAdapters } from "./modelProtocol.ts";
import type { Handlers } from "./session.ts";

/** What the desk needs of the session. */
export interface AdapterDeskSources {
  /** The loaded model with its files; null where none is loaded. */
  readonly loaded: () => LoadedFiles | null;
  /** Takes the model with other adapters on it in place of the loaded one: what was known of the last run and of the reference is over. */
  readonly replace: (model: Model) => void;
  /** The run under way as of its next milestone, or the last one; null where nothing was trained on this model. */
  readonly run: () => Promise<ExportedRun | null>;
  readonly isRunning: () => boolean;
  /** One change of what the device holds after another. */
  readonly alone: <Answer>(change: () => Promise<Answer>) => Promise<Answer>;
  readonly store: () => Promise<FileStore>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A loaded model and what it was loaded from. */
export interface LoadedFiles {
  readonly id: string;
  readonly model: Model;
  readonly files: readonly ModelFile[];
  readonly weights: BaseWeights;
  readonly license: string | null;
}

type Wanted = ModelCommands["useAdapters"]["question"]["adapters"];
type AdapterCommands = "importAdapter" | "keepAdapter" | "useAdapters" | "exportModel";

/** The desk. */
export interface AdapterDesk {
  readonly handlers: Pick<Handlers, AdapterCommands>;
  readonly shelf: AdapterShelf;
  /** What stands on the loaded model. */
  readonly standing: () => StandingAdapters;
  /** Stands the adapters of a configuration on the model where they do not stand there yet; for who is alone already. */
  readonly provide: (adapters: Wanted) => Promise<StandingAdapters>;
  /** Frees what stands on the model, because that is gone or about to go. */
  readonly forget: () => void;
}

const nothing: StandingAdapters = { adapters: [], rank: 0 };

/** Opens the desk; nothing stands on the model. */
export function createAdapterDesk(sources: AdapterDeskSources): AdapterDesk {
  const shelf = createAdapterShelf({ store: sources.store, now: sources.now });
  let standing = nothing;
  let stood: StoodModel | null = null;

  const needLoaded = () => sources.loaded() ?? refuse("CFG-1", "No model is loaded. Load a model first.");
  const configOf = () => sources.loaded()?.model.config ?? null;
  const forget = () => {
    stood?.dispose();
    [stood, standing] = [null, nothing];
  };
  const provide: AdapterDesk["provide"] = async (adapters) => {
    if (isSame(adapters, standing)) return standing;
    if (sources.isRunning()) {
      refuse("RUN-1", "A run goes on with the adapters that stand on the model: stop it first.");
    }
    const made = await shelf.stand(needLoaded().model, adapters);
    sources.replace(made.stood.model);
    forget();
    [stood, standing] = [made.stood, made.answer];
    return standing;
  };
  const exportSources = async (): Promise<ExportSources> => {
    const { files, weights, license, ...owner } = needLoaded();
    return {
      owner,
      base: () => openModel(files),
      run: await sources.run(),
      standing: standing.adapters,
      license,
      weights,
      store: await sources.store(),
    };
  };

  return {
    shelf,
    standing: () => standing,
    provide,
    forget,
    handlers: {
      importAdapter: ({ files }: ModelCommands["importAdapter"]["question"]) =>
        shelf.keep(files, { origin: "imported" }, configOf()),
      keepAdapter: async ({ label }) => {
        const run = await sources.run();
        if (run === null) refuse("RUN-1", "There is no adapter to keep yet: train at least one step.");
        return shelf.keep(adapterOf({ owner: needLoaded(), run }), { origin: "run", label }, configOf());
      },
      useAdapters: ({ adapters }) => sources.alone(() => provide(adapters)),
      exportModel: async (question) => exportModel(question, await exportSources()),
    },
  };
}

function isSame(wanted: Wanted, { adapters }: StandingAdapters): boolean {
  return (
    wanted.length === adapters.length &&
    wanted.every(({ id, scale }, place) => adapters[place]?.id === id && adapters[place].scale === scale)
  );
}
