/** Models that are on their way here: started, paused, continued, given up, and watched wherever somebody is on the site. */
import { create } from "zustand";
import type { DownloadEvent } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { tellHub } from "./hub.ts";
import { dismissMessages, raiseError } from "./messageStore.ts";
import { addLog } from "./runStore.ts";
import { removeFromShelf, refreshShelf } from "./shelf.ts";
import { useShelfStore } from "./shelfStore.ts";

/** The downloads of this visit by the id that their model has on the shelf. */
export const useDownloadStore = create<Readonly<Record<string, DownloadEvent>>>(() => ({}));

/** What is downloaded, as the page knows it before the first byte. */
export interface WantedModel {
  readonly id: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** Takes in how far a download is. */
export function hearDownload(event: DownloadEvent): void {
  // Nothing is heard any more of one that was given up.
  if (useDownloadStore.getState()[event.id] !== undefined) show(event);
}

function show(event: DownloadEvent): void {
  useDownloadStore.setState({ [event.id]: event });
}

function forget(id: string): void {
  useDownloadStore.setState(({ [id]: _gone, ...others }) => others, true);
}

/** Whether bytes are coming in, or are being checked. */
export function isMoving({ status }: Pick<DownloadEvent, "status">): boolean {
  return status === "downloading" || status === "checking";
}

/** The share of all moving downloads that is here; null when none moves. */
export function movingShare(downloads: Readonly<Record<string, DownloadEvent>>): number | null {
  const moving = Object.values(downloads).filter(isMoving);
  const sum = (field: "doneBytes" | "totalBytes") => moving.reduce((bytes, event) => bytes + event[field], 0);
  return moving.length === 0 ? null : sum("doneBytes") / Math.max(1, sum("totalBytes"));
}

/** Pauses that the trainer may not have come to yet: until then it would answer with the paused download. */
const pauses = new Map<string, Promise<unknown>>();

/** Questions about each download so far. */
const turns = new Map<string, number>();

/** Downloads a model, or goes on where it stopped; settles when it is here, was paused, or failed. */
export async function downloadModel({ id, files }: WantedModel): Promise<void> {
  const known = useDownloadStore.getState()[id];
  if (known !== undefined && isMoving(known)) return;
  dismissMessages("NET-1", "STO-1");
  show(startOf({ id, files }, known));
  const turn = (turns.get(id) ?? 0) + 1;
  turns.set(id, turn);
  // One that was paused and continued meanwhile has another question on the way.
  const isPresent = () => turns.get(id) === turn;
  try {
    await pauses.get(id);
    await tellHub();
    const model = await callTrainer("downloadModel", { id });
    if (isPresent()) finish(id, { status: "done", reason: "" });
    addLog({ level: "info", message: `${model.label} is on the shelf.` });
  } catch (error) {
    if (isPresent()) fail(id, error);
  }
  await refreshShelf();
}

/** A download before the trainer has said anything of it. */
function startOf({ id, files }: WantedModel, known: DownloadEvent | undefined): DownloadEvent {
  const rows = files.map(({ name, bytes }) => ({ name, doneBytes: 0, totalBytes: bytes }));
  const nothing = { files: rows, doneBytes: presentBytes(id), totalBytes: totalOf(files) };
  const progress = known ?? nothing;
  return {
    type: "download",
    id,
    status: "downloading",
    files: progress.files,
    doneBytes: progress.doneBytes,
    totalBytes: progress.totalBytes,
    bytesPerSecond: null,
    secondsLeft: null,
    reason: "",
  };
}

function totalOf(files: WantedModel["files"]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function presentBytes(id: string): number {
  return useShelfStore.getState().shelf?.models.find((model) => model.id === id)?.presentBytes ?? 0;
}

function finish(id: string, change: Pick<DownloadEvent, "status" | "reason">): void {
  const event = useDownloadStore.getState()[id];
  if (event === undefined) return;
  const doneBytes = change.status === "done" ? event.totalBytes : event.doneBytes;
  show({ ...event, ...change, doneBytes, bytesPerSecond: null, secondsLeft: null });
}

function fail(id: string, error: unknown): void {
  const event = useDownloadStore.getState()[id];
  // A question that ends because somebody paused or gave it up is no failure.
  if (event === undefined || event.status === "paused") return;
  finish(id, { status: "failed", reason: sentenceOf(error) });
  raiseError(error, { id });
}

/** Keeps what has come so far. */
export async function pauseDownload(id: string): Promise<void> {
  finish(id, { status: "paused", reason: "" });
  await askToPause(id);
  await refreshShelf();
}

async function askToPause(id: string): Promise<void> {
  const pause = callTrainer("pauseDownload", { id }).catch(raiseError);
  pauses.set(id, pause);
  await pause;
}

/** Gives a download up and deletes what has come of it. */
export async function cancelDownload(id: string, label: string): Promise<void> {
  const event = useDownloadStore.getState()[id];
  forget(id);
  if (event !== undefined && isMoving(event)) await askToPause(id);
  await removeFromShelf(id, label);
}

/** Takes a download that ended from the page; what is on the shelf stays there. */
export function dismissDownload(id: string): void {
  forget(id);
}

/** Goes on with the download that a message is about. */
export async function retryDownload(id: string): Promise<void> {
  const files = useDownloadStore.getState()[id]?.files ?? [];
  await downloadModel({ id, files: files.map(({ name, totalBytes }) => ({ name, bytes: totalBytes })) });
}

/** What a model is called by its id on the shelf. */
export function nameOfModel(id: string): string {
  return id
    .replace(/^(hub|disk):/, "")
    .replace(/@[^#]*/, "")
    .replace("#", " · ");
}
