/** What the session does with sparse autoencoders: keeps them at hand, and answers what the page asks of their features. */
import { embeddedSaes, type EmbeddedSae } from "../engine/data/embedded.ts";
import { changeReport } from "../engine/features/changeReport.ts";
import { featureDetail } from "../engine/features/featureDetail.ts";
import { directLogits } from "../engine/features/featureLogits.ts";
import { promptFeatures } from "../engine/features/promptFeatures.ts";
import { generate, type GenerationOptions } from "../engine/generation/generate.ts";
import { withoutAdapters, type Weights } from "../engine/models/weights.ts";
import type { RunConfig } from "../engine/training/config.ts";
import type { FeatureSource } from "../engine/training/measures.ts";
import { refuse } from "./errorReport.ts";
import { createCorpora, readerOf, type CorpusSources, type SeenPolicy } from "./featureCorpora.ts";
import type { OwnModel } from "./keptReference.ts";
import type { FetchFile } from "./library.ts";
import type { Commands, FeatureCommands, LookedAt, MeasuredSae, SaeSummary } from "./protocol.ts";
import { createSaeShelf, type SaeShelf } from "./saeShelf.ts";
import { createSaeTrainer, type SaeTrainerSources } from "./saeTrainer.ts";

/** Seed of the permutations of a change report: the same run gives the same report. */
const REPORT_SEED = 1;

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
  readonly shelf: SaeShelf;
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
  /** Forgets everything that belongs to the model. */
  readonly clear: () => void;
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
  const trainer = createSaeTrainer({
    ...sources,
    put: (arrays) => {
      const label = `Trained here, after layer ${arrays.layer}, ${arrays.width} features`;
      return shelf.put(arrays, { label, origin: "trained" });
    },
  });
  /** Does something that needs the device and maybe the policy. */
  const look = <Answer>(task: (policy: SeenPolicy | null) => Promise<Answer>) =>
    alone(() => sources.withPolicy(task));

  return {
    shelf,
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
    pause: trainer.pause,
    forgetTraining: trainer.forget,
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
          return shelf.open(files, { label, origin: "opened" }, owner.model.config);
        }),
      exportSae: ({ sae }) => alone(() => shelf.save(sae)),
      featureTable: ({ sae }) =>
        look(async () => {
          const from = corpusOf(sae);
          return { sae: from.shelved.summary, ...(await corpora.before(from)).table };
        }),
      featureDetail: ({ sae, feature }) =>
        look(async (policy) => {
          const from = corpusOf(sae);
          const { corpus, table } = await corpora.beside(from, policy);
          const { tokenizer } = from.owner;
          const logits = await directLogits(readerOf(from, untouched(from.owner)), feature);
          const name = table.names[feature] ?? "";
          return { sae, ...featureDetail(corpus, feature, { name, logits, decoder: tokenizer }) };
        }),
      promptFeatures: ({ sae, text, policy: wanted }) =>
        look(async (policy) => {
          const from = corpusOf(sae);
          const { table } = await corpora.before(from);
          const { tokenizer } = from.owner;
          const ids = tokenizer.encode(text, { addSpecialTokens: true });
          const labels = { tokens: tokenizer.decodeTokens(ids), names: table.names };
          const reader = readerOf(from, wantedWeights(from.owner, wanted, policy));
          const found = await promptFeatures(reader, Int32Array.from(ids), labels);
          return { sae, policy: wanted, ...found };
        }),
      changeReport: ({ sae }) =>
        look(async (policy) => {
          if (policy === null) return refuseUntrained();
          const { corpus, table } = await corpora.beside(corpusOf(sae), policy);
          const report = changeReport(corpus, { names: table.names, seed: REPORT_SEED });
          return { sae, step: policy.step, ...report };
        }),
      steer: (question) => look((policy) => steer(question, { owner: model(), shelf, policy })),
      trainSae: ({ settings, isContinued }) => {
        trainer.start(settings, { isContinued });
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

function untouched({ model }: OwnModel): Weights {
  return withoutAdapters(model);
}

function refuseUntrained(): never {
  return refuse("RUN-1", "No run has tuned the model yet: train first.");
}

function wantedWeights(owner: OwnModel, wanted: LookedAt, policy: SeenPolicy | null): Weights {
  return wanted === "reference" ? untouched(owner) : (policy?.weights ?? refuseUntrained());
}

/** Writes on from a prompt twice with the same seed, without and with steering. */
async function steer(
  question: Commands["steer"]["question"],
  at: { readonly owner: OwnModel; readonly shelf: SaeShelf; readonly policy: SeenPolicy | null },
): Promise<Commands["steer"]["answer"]> {
  const { owner, shelf, policy } = at;
  const { steering, prompt, policy: wanted, ...drawing } = question;
  const { model, tokenizer } = owner;
  const weights = wantedWeights(owner, wanted, policy);
  const ids = tokenizer.encode(prompt, { addSpecialTokens: true });
  const options = { ...drawing, stopTokenIds: tokenizer.stopTokenIds };
  const write = async (more: GenerationOptions) => {
    const [answer = []] = await generate(model, weights, [Int32Array.from(ids)], more);
    return tokenizer.decode(answer, { after: ids });
  };
  const { feature, mode, value } = steering;
  const { sae } = shelf.find(steering.sae);
  const turned = { sae, feature, mode, value, startToken: tokenizer.bosTokenId };
  return { plain: await write(options), steered: await write({ ...options, steering: turned }) };
}
