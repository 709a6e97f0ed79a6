/** The reference's numbers of one model and one preference set, kept in a file from one visit to the next. */
import type { LoadedModel } from "../engine/models/loadModel.ts";
import {
  createReferenceCache,
  shippedRecords,
  type ReferenceCache,
  type ReferenceRecord,
} from "../engine/reference/referenceCache.ts";
import {
  decodeReference,
  encodeReference,
  ReferenceFileError,
  type ReferenceFile,
} from "../engine/reference/referenceFile.ts";
import { haveSameAdapters, whyStale, type ReferenceIdentity } from "../engine/reference/referenceIdentity.ts";
import { namePart, type FileStore } from "../storage/fileStore.ts";
import { inTurns } from "./inTurns.ts";
import type { LoadedData } from "./library.ts";
import { adapterPrint, pairsPrint, type ModelPrints } from "./referenceIdentity.ts";
import type { ReferenceEvent } from "./protocol.ts";

/** A loaded model with what tells it from others. */
export interface OwnModel extends LoadedModel {
  readonly id: string;
  /** Of the weights that reference numbers are shipped for; "" for a person's own. */
  readonly fingerprint: string;
  readonly prints: ModelPrints;
}

/** What is kept, where, and what it belongs to. */
export interface KeptReferenceSettings {
  /** Absent: nothing is kept. */
  readonly store: FileStore | undefined;
  readonly name: string;
  readonly identity: ReferenceIdentity;
  /** Records that came along with the data. */
  readonly shipped: ReadonlyMap<string, ReferenceRecord>;
  readonly emit: (event: ReferenceEvent) => void;
}

/** A cache with a file behind it. */
export interface KeptReference {
  /** Takes the time of what is computed: from asking what is missing to each record. */
  readonly cache: ReferenceCache;
  /** The cache is for features of the autoencoders with this print from now on; those of others are forgotten. */
  readonly useFeatures: (print: string) => void;
  /** The cache is for the reference with these adapters (`adapterPrint`) from now on; what is known of others is forgotten. */
  readonly useAdapter: (print: string) => void;
  /** What `useFeatures` and `useAdapter` would leave, without doing it. */
  readonly seenWith: (features: string, adapter: string) => Pick<ReferenceCache, "missing" | "get">;
  /** Writes the file when something was computed since it was written last, and says how it went. Never rejects. */
  readonly keep: () => Promise<void>;
  /** Resolves when no file is being written. */
  readonly settled: () => Promise<void>;
}

/** The name of the file for a model, a preference set and its objective. */
export function referenceName(model: string, data: string, objective: string): string {
  return `reference/${[model, data, objective].map(namePart).join("--")}`;
}

/** The reference of a loaded model on loaded data, with what is known of it already. */
export function openReference(
  model: OwnModel,
  data: LoadedData,
  at: Pick<KeptReferenceSettings, "store" | "emit"> & Pick<ReferenceIdentity, "numerics">,
): Promise<KeptReference> {
  return openKeptReference({
    store: at.store,
    name: referenceName(model.id, data.id, data.settings.objective),
    identity: {
      ...model.prints,
      data: pairsPrint([...data.train, ...data.heldout]),
      adapter: adapterPrint(model.model.standing?.sum),
      // Which features are remembered is up to the runs.
      features: "",
      numerics: at.numerics,
    },
    shipped: shippedRecords(data.shipped, model.fingerprint),
    emit: at.emit,
  });
}

/** Reads what was kept, if it belongs to exactly this; whatever else there is, is told and not used. */
export async function openKeptReference(settings: KeptReferenceSettings): Promise<KeptReference> {
  const file = await readKept(settings);
  let features = file?.identity.features ?? "";
  let adapter = file?.identity.adapter ?? settings.identity.adapter;
  // What comes along with data is the bare model's.
  const shippedFor = (print: string) => (print === "" ? settings.shipped : new Map());
  const cache = createReferenceCache([...shippedFor(adapter), ...(file?.records ?? [])]);
  let computedMs = file?.computedMs ?? 0;
  let fresh = { pairs: 0, ms: 0 };
  let lastAt = performance.now();
  let writing: Promise<void> = Promise.resolve();

  const keep = async () => {
    const { pairs, ms } = fresh;
    fresh = { pairs: 0, ms: 0 };
    if (pairs === 0) return;
    computedMs += ms;
    // What came along with the data comes along again.
    const computed = [...cache.records()].filter(([key, record]) => settings.shipped.get(key) !== record);
    const identity = { ...settings.identity, features, adapter };
    const written = await writeKept(settings, { identity, computedMs, records: new Map(computed) });
    const bytes = written.bytes ?? cache.bytes();
    settings.emit({ type: "reference", status: "computed", reason: "", pairs, bytes, ms });
    if (written.problem === null) return;
    const reason = written.problem;
    settings.emit({ type: "reference", status: "notKept", reason, pairs, bytes, ms });
  };

  return {
    cache: {
      ...cache,
      missing: (pairs, needs) => {
        const missing = cache.missing(pairs, needs);
        lastAt = performance.now();
        return missing;
      },
      set: (pair, record) => {
        const now = performance.now();
        fresh = { pairs: fresh.pairs + 1, ms: fresh.ms + now - lastAt };
        lastAt = now;
        cache.set(pair, record);
      },
    },
    useFeatures: (print) => {
      if (print !== features) cache.forgetFeatures();
      features = print;
    },
    useAdapter: (print) => {
      if (print === adapter) return;
      cache.restart(shippedFor(print));
      [adapter, computedMs, fresh] = [print, 0, { pairs: 0, ms: 0 }];
    },
    seenWith: (print, ofAdapter) =>
      ofAdapter !== adapter
        ? createReferenceCache(shippedFor(ofAdapter))
        : print === features
          ? cache
          : {
              get: () => undefined,
              missing: (pairs, needs) =>
                needs?.features === true
                  ? createReferenceCache().missing(pairs)
                  : cache.missing(pairs, needs),
            },
    keep: () => (writing = writing.then(keep)),
    settled: () => writing,
  };
}

/** The file when it can be used; null otherwise, and the reason is told. */
async function readKept(settings: KeptReferenceSettings): Promise<ReferenceFile | null> {
  const { store, name, identity, emit } = settings;
  let bytes: Uint8Array | null = null;
  try {
    bytes = (await store?.read(name)) ?? null;
    if (bytes === null) return null;
    const file = await inTurns(decodeReference(bytes));
    const { features, adapter } = file.identity;
    const isSame = haveSameAdapters(adapter, identity.adapter);
    // Features of another autoencoder, and other numbers of the adapters, are forgotten by the run that needs its own.
    const reason = whyStale(file.identity, { ...identity, features, ...(isSame ? { adapter } : {}) });
    const facts = { pairs: file.records.size, bytes: bytes.length, ms: file.computedMs };
    emit({ type: "reference", status: reason === null ? "reused" : "stale", reason: reason ?? "", ...facts });
    return reason === null ? file : null;
  } catch (error) {
    const isDamaged = error instanceof ReferenceFileError;
    // It is told once, not at every visit.
    if (isDamaged) await store?.remove(name).catch(() => undefined);
    const reason = isDamaged ? error.message : `${textOf(error)} The reference values are computed again.`;
    emit({ type: "reference", status: "damaged", reason, pairs: 0, bytes: bytes?.length ?? 0, ms: 0 });
    return null;
  }
}

/** How long the file is, where there is one, and why it does not outlive the page. */
interface Written {
  readonly bytes: number | null;
  readonly problem: string | null;
}

async function writeKept({ store, name }: KeptReferenceSettings, content: ReferenceFile): Promise<Written> {
  if (store === undefined) return { bytes: null, problem: null };
  let bytes: number | null = null;
  try {
    const file = await inTurns(encodeReference(content));
    bytes = file.length;
    await store.write(name, file);
    return { bytes, problem: store.isLasting ? null : "This browser lets the page keep no files." };
  } catch (error) {
    return { bytes, problem: textOf(error) };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
