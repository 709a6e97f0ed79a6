/** What autoencoders' features do on the held-out pairs, read once for each model that is looked at. */
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { encodePairs, type EncodedPairs, type FeatureCorpus } from "../engine/features/encodePairs.ts";
import type { Reader } from "../engine/features/encodeRows.ts";
import { featureTable, type FeatureTable } from "../engine/features/featureTable.ts";
import type { Model } from "../engine/models/decoder.ts";
import { referenceWeights, type Weights } from "../engine/models/weights.ts";
import type { OwnModel } from "./keptReference.ts";
import type { ShelvedSae } from "./saeShelf.ts";

/** Held-out pairs that are read: as many as an evaluation reads by default. */
const CORPUS_PAIRS = 64;

/** The policy of the run under way or of the last one, while nothing else uses the device. */
export interface SeenPolicy {
  readonly weights: Weights;
  /** Counts the runs, and those that went on from a checkpoint. */
  readonly run: number;
  readonly step: number;
}

/** What is read, and with what. */
export interface CorpusSources {
  readonly owner: OwnModel;
  readonly shelved: ShelvedSae;
  readonly heldout: readonly TokenPair[];
}

/** The untouched model's side of a corpus. */
interface Before {
  /** With the adapters that stand on it. */
  readonly model: Model;
  readonly print: string;
  readonly heldout: readonly TokenPair[];
  readonly corpus: FeatureCorpus;
  readonly table: FeatureTable;
}

/** Corpora that are read when they are first asked for. */
export interface FeatureCorpora {
  /** Under the untouched model. */
  readonly before: (sources: CorpusSources) => Promise<Pick<Before, "corpus" | "table">>;
  /** With the policy beside it, where there is one. */
  readonly beside: (
    sources: CorpusSources,
    policy: SeenPolicy | null,
  ) => Promise<Pick<Before, "corpus" | "table">>;
  readonly clear: () => void;
}

/** How features of a model are read. */
export function readerOf({ owner, shelved }: Omit<CorpusSources, "heldout">, weights: Weights): Reader {
  return { model: owner.model, weights, sae: shelved.sae, startToken: owner.tokenizer.bosTokenId };
}

/** No corpus so far; one autoencoder and one state of the policy are remembered. */
export function createCorpora(): FeatureCorpora {
  let known: Before | null = null;
  let after: { readonly of: Before; readonly mark: string; readonly encoded: EncodedPairs } | null = null;

  const before = async (sources: CorpusSources): Promise<Before> => {
    const { owner, shelved, heldout } = sources;
    const { model } = owner;
    const { print } = shelved.summary;
    if (known?.print === print && known.heldout === heldout && known.model === model) return known;
    const pairs = heldout.slice(0, CORPUS_PAIRS);
    const encoded = await encodePairs(readerOf(sources, referenceWeights(model)), pairs);
    const corpus = { pairs, startToken: owner.tokenizer.bosTokenId, before: encoded, after: null };
    known = { model, print, heldout, corpus, table: featureTable(corpus, owner.tokenizer) };
    return known;
  };

  return {
    before,
    beside: async (sources, policy) => {
      const own = await before(sources);
      if (policy === null) return own;
      const mark = `${policy.run} ${policy.step}`;
      if (after?.of !== own || after.mark !== mark) {
        const encoded = await encodePairs(readerOf(sources, policy.weights), own.corpus.pairs);
        after = { of: own, mark, encoded };
      }
      return { table: own.table, corpus: { ...own.corpus, after: after.encoded } };
    },
    clear: () => {
      known = null;
      after = null;
    },
  };
}
