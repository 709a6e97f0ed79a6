/** Adapters that are kept in the browser, each in a folder of its own with PEFT's two files and what is known of it. */
import * as z from "zod/mini";
import { checkAdapter, fitAdapter } from "../engine/adapters/fitAdapter.ts";
import { PEFT_WEIGHTS_FILE, readPeftAdapter, type PeftAdapter } from "../engine/adapters/peft.ts";
import { PEFT_CONFIG_FILE } from "../engine/adapters/peftConfig.ts";
import { rankOf, standOn, sumAdapters, type StoodModel } from "../engine/adapters/standing.ts";
import { allBytes, type FileBytes } from "../engine/files/fileBytes.ts";
import { openZip } from "../engine/files/zip.ts";
import type { ModelConfig } from "../engine/models/config.ts";
import type { Model } from "../engine/models/decoder.ts";
import { fingerprint, textFingerprint } from "../engine/reference/fingerprint.ts";
import type { FileStore } from "../storage/fileStore.ts";
import { refuse } from "./errorReport.ts";
import type { ShelfAdapter, StandingAdapters } from "./modelProtocol.ts";

/** A file that is given to the shelf. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: FileBytes;
}

/** What the shelf needs from where it lives. */
export interface AdapterShelfOptions {
  readonly store: () => Promise<FileStore>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The shelf. Problems are told against the model that is given; without one there are none. */
export interface AdapterShelf {
  /** The newest first. */
  readonly list: (config: ModelConfig | null) => Promise<ShelfAdapter[]>;
  /** Keeps an adapter; one that is there already gets the new label. Throws `FileFormatError` for what is no plain LoRA. */
  readonly keep: (
    files: readonly GivenFile[],
    about: { readonly origin: ShelfAdapter["origin"]; readonly label?: string },
    config: ModelConfig | null,
  ) => Promise<ShelfAdapter>;
  /** Whether an id is one of an adapter, there or not. */
  readonly owns: (id: string) => boolean;
  /** Refuses an id that is not there. */
  readonly remove: (id: string) => Promise<void>;
  /** Stands adapters on a model in place of those that stand there; the caller frees what it gets, and what it had. */
  readonly stand: (
    model: Model,
    adapters: readonly { readonly id: string; readonly scale: number }[],
  ) => Promise<{ readonly stood: StoodModel; readonly answer: StandingAdapters }>;
}

const FOLDER = "adapters";
const ABOUT_FILE = "about.json";
const ID_PREFIX = "adapter:";
/** A run goes on with what stands on the model, and has this rank at most. */
const LARGEST_RANK = 128;

const aboutSchema = z.object({
  label: z.string(),
  origin: z.enum(["imported", "run"]),
  addedAt: z.number(),
});
type About = z.infer<typeof aboutSchema>;

/** What the shelf knows of an adapter without its numbers. */
interface Known {
  readonly about: About;
  readonly bytes: number;
  /** With shapes alone; what is wrong with the files where they can no longer be read. */
  readonly adapter: Pick<PeftAdapter, "arrays" | "config" | "baseModel" | "alpha" | "targetModules"> | string;
}

/** Opens the shelf on what the store holds. */
export function createAdapterShelf({ store, now }: AdapterShelfOptions): AdapterShelf {
  const known = new Map<string, Known>();

  const readFiles = async (id: string) => {
    const [weights, config] = await Promise.all(
      [PEFT_WEIGHTS_FILE, PEFT_CONFIG_FILE].map(async (name) => (await store()).read(pathOf(id, name))),
    );
    if (weights === null || weights === undefined || config === null || config === undefined) return null;
    return { weights, config };
  };
  const look = async (id: string): Promise<Known | null> => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const about = readAbout(await (await store()).read(pathOf(id, ABOUT_FILE)));
    if (about === null) return null;
    const files = await readFiles(id);
    const made: Known = {
      about,
      bytes: files === null ? 0 : files.weights.length + files.config.length,
      adapter:
        files === null ? "One of its two files is missing: delete it and import it again." : shapesOf(files),
    };
    known.set(id, made);
    return made;
  };
  const open = async (id: string): Promise<{ adapter: PeftAdapter; label: string }> => {
    const found = await look(id);
    const files = found === null ? null : await readFiles(id);
    if (found === null || files === null) return refuseUnknown(id);
    return { adapter: readPeftAdapter(files), label: found.about.label };
  };

  return {
    list: async (config) => {
      const names = await (await store()).list();
      const ids = names.flatMap((name) => {
        const [, id] = new RegExp(`^${FOLDER}/([0-9a-f]+)/${ABOUT_FILE}$`).exec(name) ?? [];
        return id === undefined ? [] : [ID_PREFIX + id];
      });
      const all = await Promise.all(ids.map(async (id) => ({ id, found: await look(id) })));
      return all
        .flatMap(({ id, found }) => (found === null ? [] : [summaryOf(id, found, config)]))
        .toSorted((first, second) => second.addedAt - first.addedAt);
    },
    keep: async (files, { origin, label }, config) => {
      const given = await peftFiles(files);
      const adapter = readPeftAdapter(given);
      const id = ID_PREFIX + textFingerprint(`${fingerprint(given.weights)} ${fingerprint(given.config)}`);
      const about: About = { label: label ?? labelFrom(files, adapter), origin, addedAt: now() };
      const kept = await store();
      const isNew = (await look(id)) === null;
      try {
        await kept.write(pathOf(id, PEFT_WEIGHTS_FILE), given.weights.slice());
        await kept.write(pathOf(id, PEFT_CONFIG_FILE), given.config.slice());
        // What has no such file is not listed, so a half of an adapter never is.
        await kept.write(pathOf(id, ABOUT_FILE), new TextEncoder().encode(JSON.stringify(about)));
      } catch (error) {
        // Nobody could see or delete it.
        if (isNew) await kept.removeFolder(folderOf(id)).catch(() => undefined);
        throw error;
      }
      const made = {
        about,
        bytes: given.weights.length + given.config.length,
        adapter: withoutValues(adapter),
      };
      known.set(id, made);
      return summaryOf(id, made, config);
    },
    owns: (id) => id.startsWith(ID_PREFIX),
    remove: async (id) => {
      if ((await look(id)) === null) refuseUnknown(id);
      known.delete(id);
      const kept = await store();
      for (const name of [ABOUT_FILE, PEFT_CONFIG_FILE, PEFT_WEIGHTS_FILE])
        await kept.remove(pathOf(id, name));
    },
    stand: async (model, adapters) => {
      const twice = adapters.find(({ id }, place) => adapters.findIndex((other) => other.id === id) < place);
      if (twice !== undefined)
        refuse("CFG-1", "An adapter was chosen twice: give it twice the scale instead.");
      const opened = await Promise.all(
        adapters.map(async ({ id, scale }) => ({ id, scale, ...(await open(id)) })),
      );
      const scaled = opened.map(({ adapter, scale, label }) => {
        const { modules, scaleOf } = fitted(label, () => fitAdapter(model.config, adapter));
        return { modules, scaleOf: (module: string) => scale * scaleOf(module) };
      });
      const sum = sumAdapters(scaled);
      const rank = rankOf(sum);
      if (rank > LARGEST_RANK) {
        refuse(
          "CFG-1",
          `The ranks of these adapters add up to ${rank}; a run that goes on with them has at most ${LARGEST_RANK}. Take one of them off.`,
        );
      }
      const answer = { adapters: opened.map(({ id, label, scale }) => ({ id, label, scale })), rank };
      return { stood: standOn(model, sum), answer };
    },
  };
}

function folderOf(id: string): string {
  return `${FOLDER}/${id.slice(ID_PREFIX.length)}`;
}

function pathOf(id: string, name: string): string {
  return `${folderOf(id)}/${name}`;
}

function refuseUnknown(id: string): never {
  return refuse("CFG-1", `There is no adapter "${id}" on the shelf: import it, or take it out of the setup.`);
}

function readAbout(bytes: Uint8Array | null): About | null {
  if (bytes === null) return null;
  try {
    return aboutSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

function fitted<Answer>(label: string, work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse("CFG-1", `The adapter "${label}" does not fit the loaded model: ${reason}`);
  }
}

function shapesOf(files: { readonly weights: Uint8Array; readonly config: Uint8Array }): Known["adapter"] {
  try {
    return withoutValues(readPeftAdapter(files));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function withoutValues(adapter: PeftAdapter): PeftAdapter {
  const values = new Float32Array();
  return {
    ...adapter,
    arrays: new Map([...adapter.arrays].map(([name, { shape }]) => [name, { shape, values }])),
  };
}

function summaryOf(id: string, { about, bytes, adapter }: Known, config: ModelConfig | null): ShelfAdapter {
  const facts = { id, ...about, bytes };
  if (typeof adapter === "string") {
    return { ...facts, rank: 0, alpha: 0, targets: [], layers: 0, baseModel: "", problem: adapter };
  }
  const { arrays, baseModel, alpha, targetModules: targets } = adapter;
  const downs = [...arrays].filter(([name]) => name.endsWith(".lora_A.weight"));
  const layers = new Set(downs.flatMap(([name]) => /\.(\d+)\./.exec(name)?.[1] ?? []));
  const rank = Math.max(...downs.map(([, { shape }]) => shape[0] ?? 0));
  return {
    ...facts,
    rank,
    alpha,
    targets,
    layers: layers.size,
    baseModel,
    problem: problemOf(adapter, config),
  };
}

function problemOf(
  adapter: Pick<PeftAdapter, "arrays" | "config">,
  config: ModelConfig | null,
): string | null {
  if (config === null) return null;
  try {
    checkAdapter(config, adapter);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The files as they are, or the two of the one archive that was given. */
async function unpacked(files: readonly GivenFile[]): Promise<readonly GivenFile[]> {
  const [archive] = files;
  if (files.length !== 1 || archive === undefined || !/\.zip$/i.test(archive.name)) return files;
  const { names, open } = await openZip(archive.bytes, archive.name);
  const wanted = names.filter((name) => /(^|\/)adapter_(config\.json|model\.\w+)$/.test(name));
  return Promise.all(wanted.map(async (name) => ({ name, bytes: await open(name) })));
}

/** The two files among those given, by their names in whatever folder. */
async function peftFiles(given: readonly GivenFile[]) {
  const files = await unpacked(given);
  const named = (wanted: string) => files.filter(({ name }) => name.split("/").at(-1) === wanted);
  const find = (wanted: string): Promise<Uint8Array> => {
    const [file, another] = named(wanted);
    if (another !== undefined) refuse("FIL-1", `"${wanted}" was given twice: choose one adapter at a time.`);
    if (file !== undefined) return allBytes(file.bytes);
    const isPickle = wanted === PEFT_WEIGHTS_FILE && named("adapter_model.bin").length > 0;
    const remedy = isPickle
      ? "adapter_model.bin can run code and is not read: save the adapter with safe_serialization=True."
      : `An adapter is the two files ${PEFT_CONFIG_FILE} and ${PEFT_WEIGHTS_FILE}.`;
    return refuse("FIL-1", `"${wanted}" is not among the chosen files. ${remedy}`);
  };
  return { weights: await find(PEFT_WEIGHTS_FILE), config: await find(PEFT_CONFIG_FILE) };
}

/** The folder that the files lay in, or what they are an adapter of. */
function labelFrom(files: readonly GivenFile[], { baseModel, rank }: PeftAdapter): string {
  const folder = files
    .map(({ name }) => name.split("/").at(-2))
    .find((name) => name !== undefined && name !== "");
  if (folder !== undefined) return folder;
  const base = baseModel.split("/").findLast((part) => part !== "");
  return `${base ?? "adapter"}, rank ${rank}`;
}
