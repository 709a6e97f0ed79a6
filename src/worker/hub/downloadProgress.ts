/** How far a download is, told at most five times a second. */
import type { DownloadEvent } from "../protocol.ts";

const TOLD_EVERY_MS = 200;
/** The speed is that of the last seconds. */
const SPEED_OVER_MS = 5000;
/** A speed over less says nothing. */
const LEAST_SPEED_MS = 500;
const MS_PER_SECOND = 1000;

/** Counts the bytes of a download's files. */
export interface DownloadProgress {
  /** Bytes of a file that are here by now. */
  readonly set: (file: string, doneBytes: number) => void;
  /** Says something at once. */
  readonly tell: (status: DownloadEvent["status"], reason?: string) => void;
}

/** What is counted, and who hears of it. */
export interface DownloadProgressSettings {
  readonly id: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Bytes of a file that are here already; they do not count for the speed. */
  readonly present: (file: string) => number;
  readonly emit: (event: DownloadEvent) => void;
  /** Milliseconds. */
  readonly now: () => number;
}

/** Begins to count. */
export function createDownloadProgress({
  id,
  files,
  present,
  emit,
  now,
}: DownloadProgressSettings): DownloadProgress {
  const done = new Map(files.map(({ name, bytes }) => [name, Math.min(bytes, present(name))]));
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let recent: { readonly at: number; readonly bytes: number }[] = [{ at: now(), bytes: 0 }];
  let received = 0;
  let toldAt = -Infinity;
  let status: DownloadEvent["status"] = "downloading";
  let said = "";
  const speed = (): number | null => {
    const [first] = recent;
    const span = first === undefined ? 0 : now() - first.at;
    return first === undefined || span < LEAST_SPEED_MS
      ? null
      : ((received - first.bytes) / span) * MS_PER_SECOND;
  };
  const send = () => {
    toldAt = now();
    recent = [...recent.filter(({ at }) => at >= toldAt - SPEED_OVER_MS), { at: toldAt, bytes: received }];
    const doneBytes = [...done.values()].reduce((sum, bytes) => sum + bytes, 0);
    const bytesPerSecond = status === "downloading" ? speed() : null;
    emit({
      type: "download",
      id,
      status,
      files: files.map(({ name, bytes }) => ({ name, doneBytes: done.get(name) ?? 0, totalBytes: bytes })),
      doneBytes,
      totalBytes,
      bytesPerSecond,
      secondsLeft:
        bytesPerSecond === null || bytesPerSecond <= 0 ? null : (totalBytes - doneBytes) / bytesPerSecond,
      reason: said,
    });
  };
  return {
    set: (file, doneBytes) => {
      received += Math.max(0, doneBytes - (done.get(file) ?? 0));
      done.set(file, doneBytes);
      if (now() - toldAt >= TOLD_EVERY_MS) send();
    },
    tell: (next, reason = "") => {
      status = next;
      said = reason;
      send();
    },
  };
}
