/** What is written beside the files of a kept model: what it is while it comes, and the same, written last, once it is complete. */
import * as z from "zod/mini";
import { namePart, type FileStore } from "../../storage/fileStore.ts";
import type { ShelfModel } from "../protocol.ts";

const recordSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  label: z.string(),
  origin: z.enum(["hub", "disk"]),
  source: z.string(),
  license: z.nullable(z.string()),
  /** An etag names the content that was begun with; "" for files of a disk. */
  files: z.array(z.strictObject({ name: z.string(), bytes: z.number(), etag: z.string() })),
  addedAt: z.number(),
});

/** A kept model. */
export type ShelfRecord = z.infer<typeof recordSchema>;

/** The folder of all kept models. */
export const modelsFolder = "models";
const COMPLETE = "model.json";
const COMING = "download.json";
const USED = "used.json";

/** The folder of one kept model. */
export function folderOf(id: string): string {
  return `${modelsFolder}/${namePart(id)}`;
}

/** Where a file of a kept model lies. */
export function storedAs(id: string, file: string): string {
  return `${folderOf(id)}/files/${namePart(file)}`;
}

/** A model's record, and whether all of it is here. */
export interface KeptModel {
  readonly record: ShelfRecord;
  readonly isComplete: boolean;
}

/** Reads a record; null where there is none, or one that nobody can read. */
export async function readRecord(store: FileStore, id: string): Promise<KeptModel | null> {
  const complete = await readJson(store, `${folderOf(id)}/${COMPLETE}`, recordSchema);
  if (complete !== null) {
    const sizes = await Promise.all(
      complete.files.map(async ({ name, bytes }) => {
        const blob = await store.openBlob(storedAs(id, name));
        return blob?.size === bytes;
      }),
    );
    return { record: complete, isComplete: sizes.every(Boolean) };
  }
  const coming = await readJson(store, `${folderOf(id)}/${COMING}`, recordSchema);
  return coming === null ? null : { record: coming, isComplete: false };
}

/** Says what is to come, before anything has; a model that was complete is not so any more. */
export async function writeComing(store: FileStore, record: ShelfRecord): Promise<void> {
  await writeJson(store, `${folderOf(record.id)}/${COMING}`, record);
  await store.remove(`${folderOf(record.id)}/${COMPLETE}`);
}

/** Says that all is here and right. */
export async function writeComplete(store: FileStore, record: ShelfRecord): Promise<void> {
  await writeJson(store, `${folderOf(record.id)}/${COMPLETE}`, record);
  await store.remove(`${folderOf(record.id)}/${COMING}`);
}

/** Remembers when a model was used. */
export async function markUsed(store: FileStore, id: string, at: number): Promise<void> {
  await writeJson(store, `${folderOf(id)}/${USED}`, { at });
}

/** Lists every kept model and every download that was begun; sweeps what neither is, except what `isBusy` says of. */
export async function readShelf(
  store: FileStore,
  isBusy: (folder: string) => boolean,
): Promise<ShelfModel[]> {
  const sizes = await store.sizes();
  const folders = new Set(
    [...sizes.keys()]
      .filter((name) => name.startsWith(`${modelsFolder}/`))
      .map((name) => name.split("/").slice(0, 2).join("/")),
  );
  const models: ShelfModel[] = [];
  for (const folder of folders) {
    const id = decodeURIComponent(folder.slice(modelsFolder.length + 1));
    const kept = await readRecord(store, id);
    if (kept !== null) models.push(await summaryOf(store, kept, sizes));
    else if (!isBusy(folder)) await store.removeFolder(folder);
  }
  return models.toSorted((a, b) => a.addedAt - b.addedAt);
}

/** What the page sees of a kept model. */
export async function summaryOf(
  store: FileStore,
  { record, isComplete }: KeptModel,
  sizes: ReadonlyMap<string, number>,
): Promise<ShelfModel> {
  const { id, label, origin, source, license, files, addedAt } = record;
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const present = files.reduce(
    (sum, { name, bytes }) => sum + Math.min(bytes, sizes.get(storedAs(id, name)) ?? 0),
    0,
  );
  const used = await readJson(store, `${folderOf(id)}/${USED}`, z.strictObject({ at: z.number() }));
  return {
    id,
    label,
    origin,
    source,
    license,
    files: files.map(({ name, bytes }) => ({ name, bytes })),
    // All bytes may be here and not be checked yet.
    presentBytes: isComplete ? totalBytes : Math.min(present, Math.max(0, totalBytes - 1)),
    totalBytes,
    addedAt,
    usedAt: used?.at ?? null,
  };
}

async function writeJson(store: FileStore, name: string, value: unknown): Promise<void> {
  await store.write(name, new TextEncoder().encode(JSON.stringify(value)));
}

async function readJson<Value>(
  store: FileStore,
  name: string,
  schema: { readonly parse: (json: unknown) => Value },
): Promise<Value | null> {
  const bytes = await store.read(name);
  if (bytes === null) return null;
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}
