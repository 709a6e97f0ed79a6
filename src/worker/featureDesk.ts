/** What the session does with sparse autoencoders: keeps them at hand, and answers what the page asks of their features. */
import type { FetchFile } from "./library.ts";
import type { OwnModel } from "./keptReference.ts";
import { refuse } from "./errorReport.ts";
import type { FeatureCommands } from "./protocol.ts";
import { createSaeShelf, type SaeShelf } from "./saeShelf.ts";

/** Id of an autoencoder that was opened from files. */
const OPENED = "opened";

/** A handler for every command about features. */
export type FeatureHandlers = {
  readonly [Name in keyof FeatureCommands]: (
    question: FeatureCommands[Name]["question"],
  ) => Promise<FeatureCommands[Name]["answer"]> | FeatureCommands[Name]["answer"];
};

/** What the desk needs of the session. */
export interface DeskSources {
  /** Refuses while no model is loaded. */
  readonly model: () => OwnModel;
  readonly fetchFile: FetchFile;
  /** Changes what the device holds, one change after another. */
  readonly alone: <Answer>(change: () => Promise<Answer>) => Promise<Answer>;
}

/** The desk with its shelf. */
export interface FeatureDesk {
  readonly shelf: SaeShelf;
  readonly handlers: FeatureHandlers;
}

/** Opens the desk; nothing is at hand until a model is loaded. */
export function createFeatureDesk({ model, alone }: DeskSources): FeatureDesk {
  const shelf = createSaeShelf();
  const notYet = () => refuse("CFG-1", "This question cannot be answered yet.");
  return {
    shelf,
    handlers: {
      listSaes: () => ({ inUse: shelf.summaries(), embedded: [] }),
      loadSae: ({ files }) =>
        alone(async () => {
          const { config } = model().model;
          if (files === null) return notYet();
          const label = files[0]?.name ?? "";
          return shelf.open(files, { id: OPENED, label, origin: "opened" }, config);
        }),
      featureTable: notYet,
      featureDetail: notYet,
      promptFeatures: notYet,
      changeReport: notYet,
      steer: notYet,
      trainSae: notYet,
      pauseSae: notYet,
      exportSae: ({ sae }) => shelf.save(sae),
    },
  };
}
