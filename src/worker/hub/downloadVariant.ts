/** A variant of a repository from the Hub onto the shelf, file after file. */
import { fullness, StorageError, type FileStore } from "../../storage/fileStore.ts";
import { refuse } from "../errorReport.ts";
import { downloadFile, otherLength } from "./downloadFile.ts";
import { createDownloadProgress, type DownloadProgress } from "./downloadProgress.ts";
import type { DownloadEvent } from "../protocol.ts";
import type { HubAccess, HubDoor } from "./hubAccess.ts";
import {
  fileSource,
  repositoryFiles,
  repositoryInfo,
  type FileSource,
  type HubFile,
  type Repository,
} from "./hubClient.ts";
import { inMegabytes } from "./hubError.ts";
import { parseHubId } from "./hubId.ts";
import { readRecord, storedAs, writeComing, writeComplete, type ShelfRecord } from "./shelfRecord.ts";
import { listVariants } from "./variants.ts";

/** What a download needs. */
export interface VariantDownload {
  readonly id: string;
  readonly access: HubAccess;
  readonly door: HubDoor;
  readonly store: FileStore;
  readonly emit: (event: DownloadEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly today: () => number;
}

interface WantedFile {
  readonly file: HubFile;
  readonly source: FileSource;
}

/** Letters of a commit that tell it from others. */
const SHORT_COMMIT = 7;

/**
 * Downloads what is not here yet, until the model is complete. Whatever fails, what has come stays, and the model is not
 * complete. Throws `HubError`, `StorageError`, or the signal's reason; how it ended is told before.
 */
export async function downloadVariant(download: VariantDownload): Promise<void> {
  const { id, store, signal } = download;
  let progress = await countPresent(download, (await readRecord(store, id))?.record.files ?? []);
  try {
    const { record, wanted } = await plan(download);
    const restarted = await sweepChanged(store, record);
    progress = await countPresent(download, record.files);
    await writeComing(store, record);
    await checkRoom(store, record);
    progress.tell("downloading", startedAgain(restarted, download.access.host()));
    for (const each of wanted) await takeFile(download, each, progress);
    progress.tell("checking");
    await writeComplete(store, record);
    progress.tell("done");
  } catch (error) {
    if (signal.aborted) progress.tell("paused");
    else progress.tell("failed", error instanceof Error ? error.message : String(error));
    throw error;
  }
}

async function countPresent(
  { id, store, emit, door }: VariantDownload,
  files: ShelfRecord["files"],
): Promise<DownloadProgress> {
  const sizes = await store.sizes();
  const present = (name: string) => sizes.get(storedAs(id, name)) ?? 0;
  return createDownloadProgress({ id, files, present, emit, now: door.now });
}

async function takeFile(
  { id, access, door, store, signal }: VariantDownload,
  { file, source }: WantedFile,
  progress: DownloadProgress,
): Promise<void> {
  signal.throwIfAborted();
  const place = storedAs(id, file.name);
  if ((await store.openBlob(place))?.size === file.bytes) return;
  await downloadFile({
    access,
    door,
    store,
    file,
    source,
    storedAs: place,
    subject: { host: access.host(), repo: parseHubId(id).repo, file: file.name },
    signal,
    onBytes: (doneBytes) => progress.set(file.name, doneBytes),
  });
}

/** Asks the Hub which files there are, and which content each has now. */
async function plan({
  id,
  access,
  store,
  signal,
  today,
}: VariantDownload): Promise<{ readonly record: ShelfRecord; readonly wanted: readonly WantedFile[] }> {
  const { repo, revision, file } = parseHubId(id);
  const repository: Repository = { kind: "model", repo, revision };
  const info = await repositoryInfo(access, repository);
  const variant = listVariants(await repositoryFiles(access, repository)).find((each) => each.file === file);
  if (variant === undefined)
    refuse("NET-1", `"${repo}" has no ${file === null ? "full weights" : `"${file}"`} at this revision.`);
  if (variant.problem !== null) refuse("FIL-1", variant.problem);
  const wanted: WantedFile[] = [];
  for (const each of variant.files) {
    signal.throwIfAborted();
    const source = await fileSource(access, repository, each.name);
    if (source.bytes !== each.bytes)
      throw otherLength({ host: access.host(), repo, file: each.name }, source.bytes, each.bytes);
    wanted.push({ file: each, source });
  }
  const before = await readRecord(store, id);
  const name = repo.slice(repo.lastIndexOf("/") + 1);
  return {
    wanted,
    record: {
      version: 1,
      id,
      label: variant.file === null ? name : `${name} ${variant.label}`,
      origin: "hub",
      source: `${repo} @ ${info.commit.slice(0, SHORT_COMMIT)}`,
      license: info.license,
      files: wanted.map(({ file, source }) => ({ name: file.name, bytes: file.bytes, etag: source.etag })),
      addedAt: before?.record.addedAt ?? today(),
    },
  };
}

/** Removes what is here of files that are others now, and answers with their names. */
async function sweepChanged(store: FileStore, { id, files }: ShelfRecord): Promise<string[]> {
  const before = await readRecord(store, id);
  const etags = new Map(before?.record.files.map(({ name, etag }) => [name, etag]));
  const changed: string[] = [];
  for (const { name, etag } of files) {
    const known = etags.get(name);
    if (known === etag) continue;
    const place = storedAs(id, name);
    const there = (await store.openUnfinished(place)) ?? (await store.openBlob(place));
    if (there === null) continue;
    await store.remove(place);
    changed.push(name);
  }
  return changed;
}

function startedAgain(names: readonly string[], host: string): string {
  if (names.length === 0) return "";
  const files = names.map((name) => `"${name}"`).join(", ");
  const [were, they] = names.length === 1 ? ["was", "it starts"] : ["were", "they start"];
  return `${files} ${were} changed on ${host} since the download began: ${they} again.`;
}

/** Refuses a download that the browser has no room for, before it takes the room that is left. */
async function checkRoom(store: FileStore, { id, files }: ShelfRecord): Promise<void> {
  const estimate = await store.estimate();
  if (estimate.usedBytes === null || estimate.quotaBytes === null) return;
  const sizes = await store.sizes();
  const missing = files.reduce(
    (sum, { name, bytes }) => sum + Math.max(0, bytes - (sizes.get(storedAs(id, name)) ?? 0)),
    0,
  );
  const room = Math.max(0, estimate.quotaBytes - estimate.usedBytes);
  if (missing <= room) return;
  throw new StorageError(
    `Browser storage is full (${fullness(estimate)}): ${inMegabytes(missing)} are still to come, there is room for ${inMegabytes(room)}. Delete something first.`,
    { isFull: true, cause: null },
  );
}
