import { Button, Progress } from "@mantine/core";
import {
  cancelDownload,
  dismissDownload,
  downloadModel,
  isMoving,
  nameOfModel,
  pauseDownload,
  useDownloadStore,
} from "../../../state/downloads.ts";
import { takeModel } from "../../../state/takeOver.ts";
import type { DownloadEvent } from "../../../worker/protocol.ts";
import { formatBytes, formatBytesOf, formatClock, formatShare } from "../../format.ts";

/** The downloads of this visit, each with its progress. */
export function DownloadList() {
  const downloads = Object.values(useDownloadStore());
  if (downloads.length === 0) return null;
  return (
    <section className="panel download-list" aria-label="Downloads">
      <ul>
        {downloads.map((event) => (
          <Download key={event.id} event={event} />
        ))}
      </ul>
    </section>
  );
}

const statusWords: Record<DownloadEvent["status"], string> = {
  downloading: "Downloading",
  checking: "Checking",
  paused: "Paused",
  done: "On the shelf",
  failed: "Stopped",
};

function Download({ event }: { readonly event: DownloadEvent }) {
  const { status, doneBytes, totalBytes, reason } = event;
  const name = nameOfModel(event.id);
  const share = totalBytes > 0 ? doneBytes / totalBytes : 0;
  return (
    <li className="download" data-testid="download" data-status={status}>
      <p className="download-line">
        <strong className="download-name">{name}</strong>
        <span>
          {statusWords[status]} · {formatBytesOf(doneBytes, totalBytes)}
          {paceOf(event)}
        </span>
      </p>
      <Progress value={100 * share} aria-label={`Download of ${name}`} />
      <p className="visually-hidden" role="status">
        {name}: {statusWords[status]}, {formatShare(Math.floor(share * 4) / 4)}
      </p>
      {reason !== "" && <p className={status === "failed" ? "setting-problem" : "note"}>{reason}</p>}
      <Files event={event} />
      <Buttons event={event} name={name} />
    </li>
  );
}

function paceOf({ bytesPerSecond, secondsLeft }: DownloadEvent): string {
  const pace = bytesPerSecond === null ? "" : ` · ${formatBytes(bytesPerSecond)}/s`;
  return secondsLeft === null ? pace : `${pace} · ≈ ${formatClock(secondsLeft)} left`;
}

function Files({ event: { files } }: { readonly event: DownloadEvent }) {
  if (files.length === 0) return null;
  return (
    <details className="download-files">
      <summary>{files.length === 1 ? "1 file" : `${files.length} files`}</summary>
      <ul>
        {files.map(({ name, doneBytes, totalBytes }) => (
          <li key={name}>
            <span>{name}</span>
            <Progress
              size={6}
              value={totalBytes > 0 ? (100 * doneBytes) / totalBytes : 0}
              aria-label={`Download of ${name}`}
            />
            <span>{formatBytesOf(doneBytes, totalBytes)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Buttons({ event, name }: { readonly event: DownloadEvent; readonly name: string }) {
  const { id, status, files } = event;
  const wanted = { id, files: files.map((file) => ({ name: file.name, bytes: file.totalBytes })) };
  return (
    <div className="download-buttons">
      {isMoving(event) && (
        <Button size="xs" variant="default" onClick={() => void pauseDownload(id)}>
          Pause
        </Button>
      )}
      {(status === "paused" || status === "failed") && (
        <Button size="xs" onClick={() => void downloadModel(wanted)}>
          {status === "paused" ? "Resume" : "Retry"}
        </Button>
      )}
      {status === "done" ? (
        <>
          <Button size="xs" onClick={() => void takeNow(id)}>
            Use it
          </Button>
          <Button size="xs" variant="subtle" onClick={() => dismissDownload(id)}>
            Close
          </Button>
        </>
      ) : (
        <Button size="xs" variant="subtle" onClick={() => void cancelDownload(id, name)}>
          Cancel and delete
        </Button>
      )}
    </div>
  );
}

async function takeNow(id: string): Promise<void> {
  if (await takeModel(id, "keep")) dismissDownload(id);
}
