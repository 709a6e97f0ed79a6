/** What the session does with sparse autoencoders: keeps them at hand, and answers what the page asks of their features. */
import { embeddedSaes, type EmbeddedSae } from "../engine/data/embedded.ts";
import { readTexts } from "../engine/data/readTexts.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { FeatureSource } from "../engine/training/measures.ts";
import { refuse } from "./errorReport.ts";
import { tellChanges, tellDetail, tellPrompt, tellTable, writeBoth, type Looking } from "./featureAnswers.ts";
import { createCorpora, type CorpusSources, type SeenPolicy } from "./featureCorpora.ts";
import type { OwnModel } from "./keptReference.ts";
import type { FetchFile } from "./library.ts";
import type { FeatureCommands, MeasuredSae, SaeSummary } from "./protocol.ts";
import { createSaeShelf, type SaeShelf } from "./saeShelf.ts";
import { createSaeTrainer, type SaeTrainerSources } from "./saeTrainer.ts";

/** A handler for every command about features. */
export type FeatureHandlers = {
  readonly [Name in keyof FeatureCommands]: (
    question: FeatureCommands[Name]["question"],
  ) => Promise<FeatureCommands[Name]["answer"]> | FeatureCommands[Name]["answer"];
};

/** What the desk needs of the session; `model` and `data` refuse while nothing is loaded. */
export interface DeskSources extends Omit<SaeTrainerSources, "put"> {
  readonly fetchFile: FetchFile;
  /** Lets `look` see the policy; null before a run. */
  readonly withPolicy: <Answer>(look: (policy: SeenPolicy | null) => Promise<Answer>) => Promise<Answer>;
}

/** Autoencoders of a run with what tells them from others. */
export interface DeskSource extends FeatureSource {
  readonly measured: readonly MeasuredSae[];
  /** Of all of them, in the order of their features. */
  readonly print: string;
}

/** The autoencoders that a configuration asks for. */
export interface FoundFeatures {
  /** Null where none is at hand, and where there is a problem. */
  readonly source: DeskSource | null;
  /** One sentence. */
  readonly problem: string | null;
}

/** The desk with its shelf. */
export interface FeatureDesk {
  /** Frees autoencoders that others took the place of; no run may be under way. */
  readonly sweep: () => void;
  /** Loads the autoencoder that comes with an embedded model; null where none does. */
  readonly welcome: (owner: OwnModel) => Promise<SaeSummary | null>;
  /** Whether `provide` has something to do. */
  readonly lacks: (config: Pick<RunConfig, "saes">) => boolean;
  /** Loads what a configuration asks for of those that come with the model; the default stays what it is. */
  readonly provide: (config: Pick<RunConfig, "saes">) => Promise<void>;
  readonly featuresOf: (config: Pick<RunConfig, "saes">) => FoundFeatures;
  /** Lets go of the device while a run has it. */
  readonly pause: () => Promise<void>;
  /** Forgets a training on pairs that are about to go. */
  readonly forgetTraining: () => Promise<void>;
  /** Forgets what features do on the pairs, because the model is another function now. */
  readonly forgetCorpora: () => void;
  /** Forgets everything that belongs to the model. */
  readonly clear: () => void;
  /** SAELens files of one at hand. */
  readonly saveSae: SaeShelf["save"];
  readonly handlers: FeatureHandlers;
}

/** Opens the desk; nothing is at hand until a model is loaded. */
export function createFeatureDesk(sources: DeskSources): FeatureDesk {
  const { model, data, fetchFile, alone } = sources;
  const shelf = createSaeShelf();
  const corpora = createCorpora();
  const corpusOf = (id: string): CorpusSources => ({
    owner: model(),
    shelved: shelf.find(id),
    heldout: data().heldout,
  });
  const open = async (owner: OwnModel, embedded: EmbeddedSae, { isLast = false } = {}) => {
    const { files, folder, id, label } = embedded;
    const read = async (name: string) => ({ name, bytes: await fetchFile(`${folder}/${name}`) });
    const opened = await Promise.all(files.map(read));
    return shelf.open(opened, { id, label, origin: "embedded", isLast }, owner.model.config);
  };
  /** Those of a configuration that come with the model and are not at hand yet. */
  const missingOf = ({ saes }: Pick<RunConfig, "saes">) => {
    const atHand = shelf.summaries().map(({ id }) => id);
    return saesOf(model()).filter(({ id }) => saes.includes(id) && !atHand.includes(id));
  };
  /** A run keeps the autoencoders that it began with. */
  const sweep = () => {
    if (!sources.isRunning()) shelf.sweep();
  };
  const trainer = createSaeTrainer({
    ...sources,
    put: (arrays) => {
      const label = `Trained here, after layer ${arrays.layer}, ${arrays.width} features`;
      const summary = shelf.put(arrays, { label, origin: "trained" });
      sweep();
      return summary;
    },
  });
  /** Looks at an autoencoder's features, and maybe at the policy. */
  const look = <Answer>(sae: string, task: (looking: Looking) => Promise<Answer>) =>
    alone(() => sources.withPolicy((policy) => task({ from: corpusOf(sae), corpora, policy })));

  return {
    sweep: shelf.sweep,
    welcome: async (owner) => {
      const [first] = saesOf(owner);
      return first === undefined ? null : open(owner, first);
    },
    lacks: (config) => missingOf(config).length > 0,
    provide: async (config) => {
      for (const sae of missingOf(config)) await open(model(), sae, { isLast: true });
    },
    featuresOf: ({ saes }) => {
      const { used, problem } = shelf.choose(saes);
      if (problem !== null || used.length === 0) return { source: null, problem };
      const source = {
        saes: used.map(({ sae }) => sae),
        measured: used.map(({ summary: { id, width } }) => ({ id, width })),
        print: used.map(({ summary }) => summary.print).join("+"),
        startToken: model().tokenizer.bosTokenId,
      };
      return { source, problem: null };
    },
    saveSae: shelf.save,
    pause: trainer.pause,
    forgetTraining: trainer.forget,
    forgetCorpora: corpora.clear,
    clear: () => {
      shelf.clear();
      corpora.clear();
    },
    handlers: {
      listSaes: () => ({
        atHand: shelf.summaries(),
        embedded: saesOf(model()).map(({ id, label, layer }) => ({ id, label, layer })),
      }),
      loadSae: ({ id, files }) =>
        alone(async () => {
          const owner = model();
          if (files === null) {
            const embedded = saesOf(owner).find((sae) => sae.id === id);
            const loaded = shelf.use(id) ?? (embedded && (await open(owner, embedded)));
            return loaded ?? refuse("CFG-1", `No autoencoder "${id}" is at hand or comes with this model.`);
          }
          const label = files.map(({ name }) => name.slice(name.lastIndexOf("/") + 1)).join(", ");
          const summary = await shelf.open(files, { label, origin: "opened" }, owner.model.config);
          sweep();
          return summary;
        }),
      exportSae: ({ sae }) => alone(() => shelf.save(sae)),
      featureTable: ({ sae }) => look(sae, tellTable),
      featureDetail: (question) => look(question.sae, (at) => tellDetail(at, question)),
      promptFeatures: (question) => look(question.sae, (at) => tellPrompt(at, question)),
      changeReport: (question) => look(question.sae, (at) => tellChanges(at, question)),
      steer: (question) => look(question.steering.sae, (at) => writeBoth(at, question)),
      trainSae: async (question) => {
        const { texts: file } = question;
        const texts = file === null ? null : { name: file.name, texts: await readTexts(file) };
        trainer.start({ ...question, texts });
        return null;
      },
      pauseSae: async () => {
        await trainer.pause();
        return null;
      },
    },
  };
}

function saesOf({ id }: OwnModel): readonly EmbeddedSae[] {
  return embeddedSaes.filter((sae) => sae.model === id);
}
