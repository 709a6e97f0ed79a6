/** What is remembered of the reference policy: numbers of every answer, computed once with the adapters off. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { SparseFeatures } from "../sae/sparseFeatures.ts";
import { fingerprint } from "./fingerprint.ts";

/** What is remembered of one answer. */
export interface ReferenceAnswer {
  /** Log-prob of the whole answer in nats, summed over its scored tokens. */
  readonly sumLogps: number;
  /** Final hidden states, the head's input, for the KL of every token. [tokens, hiddenSize] */
  readonly hidden?: Float32Array;
  readonly features?: SparseFeatures;
}

/** What is remembered of a pair. */
export interface ReferenceRecord {
  readonly chosen: ReferenceAnswer;
  readonly rejected: ReferenceAnswer;
}

/** What is asked of the reference beyond the log-probs, which are always there. */
export interface ReferenceNeeds {
  readonly hidden: boolean;
  readonly features: boolean;
}

/** Two log-probs a pair and nothing else. */
export const onlyLogps: ReferenceNeeds = { hidden: false, features: false };

/** A log-prob is kept in 64 bits: rounded, it would differ from the untouched policy's own. */
const LOGP_BYTES = 8;
const NUMBER_BYTES = 4;

/** Sizes of a mean pair, for the estimate of what it takes. */
export interface ReferenceSizes {
  /** Scored tokens of both answers together. */
  readonly tokens: number;
  readonly hiddenSize: number;
  /** Bytes of the features of one answer. */
  readonly featureBytes?: number;
}

/** Bytes remembered of a pair of such sizes. */
export function referenceBytesPerPair(needs: ReferenceNeeds, sizes?: ReferenceSizes): number {
  const { tokens = 0, hiddenSize = 0, featureBytes = 0 } = sizes ?? {};
  return (
    2 * LOGP_BYTES +
    (needs.hidden ? NUMBER_BYTES * tokens * hiddenSize : 0) +
    (needs.features ? 2 * featureBytes : 0)
  );
}

/** Bytes that a record takes. */
export function bytesOf({ chosen, rejected }: ReferenceRecord): number {
  return 2 * LOGP_BYTES + arrayBytes(chosen) + arrayBytes(rejected);
}

/** Bytes of what an answer has beside its log-prob. */
export function arrayBytes({ hidden, features }: ReferenceAnswer): number {
  return (hidden?.byteLength ?? 0) + (features === undefined ? 0 : bytesOfFeatures(features));
}

function bytesOfFeatures({ index, values }: SparseFeatures): number {
  return (index?.byteLength ?? 0) + values.byteLength;
}

/** Bytes of the remembered features of a mean answer of these pairs; null where none of them are remembered. */
export function meanFeatureBytes(
  reference: Pick<ReferenceCache, "get">,
  pairs: readonly TokenPair[],
): number | null {
  const sizes = pairs.flatMap((pair) => {
    const { chosen, rejected } = reference.get(pair) ?? {};
    return [chosen?.features, rejected?.features].flatMap((features) =>
      features === undefined ? [] : [bytesOfFeatures(features)],
    );
  });
  return sizes.length === 0 ? null : sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
}

/** Remembered records by pair; one cache belongs to one model, and its features to one choice of autoencoders. */
export interface ReferenceCache {
  readonly get: (pair: TokenPair) => ReferenceRecord | undefined;
  /** Remembers a record; hidden states and features that it lacks and that are known already stay. */
  readonly set: (pair: TokenPair, record: ReferenceRecord) => void;
  /** Pairs of the list of which something needed is not remembered yet, each once; without needs the log-probs. */
  readonly missing: (pairs: readonly TokenPair[], needs?: ReferenceNeeds) => TokenPair[];
  /** Forgets the features of all answers, because they are another autoencoder's; log-probs and hidden states stay. */
  readonly forgetFeatures: () => void;
  /** Forgets everything, because it is another reference's, and starts again with the records given. */
  readonly restart: (records: ReadonlyMap<string, ReferenceRecord>) => void;
  /** Every record by its pair's key, as it is now. */
  readonly records: () => ReadonlyMap<string, ReferenceRecord>;
  /** Bytes of all records. */
  readonly bytes: () => number;
}

/** Log-probs that come along with an embedded preference set, so that its first run starts at once. */
export interface ShippedReference {
  /** Fingerprint of the weights they belong to. */
  readonly weights: string;
  /** [chosen, rejected] by the pair's key; a changed tokenizer, template or terminator makes other keys. */
  readonly logps: Readonly<Record<string, readonly [number, number]>>;
}

/** What was shipped for these weights, by the pair's key; nothing when it belongs to others. */
export function shippedRecords(
  shipped: ShippedReference | undefined,
  weights: string,
): Map<string, ReferenceRecord> {
  if (shipped === undefined || shipped.weights !== weights) return new Map();
  return new Map(
    Object.entries(shipped.logps).map(([key, [chosen, rejected]]) => [
      key,
      { chosen: { sumLogps: chosen }, rejected: { sumLogps: rejected } },
    ]),
  );
}

/**
 * A cache that starts with the records given. Keys are the pair's token ids, so re-reading the same data keeps what is
 * known.
 */
export function createReferenceCache(
  records: Iterable<readonly [string, ReferenceRecord]> = [],
): ReferenceCache {
  const known = new Map(records);
  return {
    get: (pair) => known.get(pairKey(pair)),
    set: (pair, { chosen, rejected }) => {
      const key = pairKey(pair);
      const before = known.get(key);
      known.set(key, {
        chosen: { ...before?.chosen, ...chosen },
        rejected: { ...before?.rejected, ...rejected },
      });
    },
    missing: (pairs, needs = onlyLogps) => {
      const wanted = new Map(pairs.map((pair) => [pairKey(pair), pair]));
      return [...wanted].filter(([key]) => !suffices(known.get(key), needs)).map(([, pair]) => pair);
    },
    forgetFeatures: () => {
      for (const [key, { chosen, rejected }] of known) {
        known.set(key, { chosen: withoutFeatures(chosen), rejected: withoutFeatures(rejected) });
      }
    },
    restart: (records) => {
      known.clear();
      for (const [key, record] of records) known.set(key, record);
    },
    records: () => new Map(known),
    bytes: () => [...known.values()].reduce((sum, record) => sum + bytesOf(record), 0),
  };
}

function withoutFeatures({ features: _features, ...answer }: ReferenceAnswer): ReferenceAnswer {
  return answer;
}

function suffices(record: ReferenceRecord | undefined, needs: ReferenceNeeds): boolean {
  if (record === undefined) return false;
  return [record.chosen, record.rejected].every(
    ({ hidden, features }) =>
      (!needs.hidden || hidden !== undefined) && (!needs.features || features !== undefined),
  );
}

/** The key of a pair: a fingerprint of its token ids and where its parts begin. */
export function pairKey({ prompt, chosen, rejected, rejectedPrompt }: TokenPair): string {
  // Two prompts are told from one by a length that no prompt has.
  const other = rejectedPrompt === undefined ? [] : [-1, rejectedPrompt.length, ...rejectedPrompt];
  const ids = [prompt.length, ...prompt, chosen.length, ...chosen, ...rejected, ...other];
  return fingerprint(new Uint8Array(Int32Array.from(ids).buffer));
}
