import { Button, Progress } from "@mantine/core";
import { downloadModel, isMoving, useDownloadStore } from "../../../state/downloads.ts";
import { isComplete, useShelfStore } from "../../../state/shelfStore.ts";
import { deleteModel } from "../../../state/takeOver.ts";
import type { ShelfModel } from "../../../worker/protocol.ts";
import { DeleteButton } from "../../components/DeleteButton.tsx";
import { formatBytes, formatBytesOf, formatDay } from "../../format.ts";
import { UseModel } from "./UseModel.tsx";

/** A model that is kept, or the part of one that has come. */
export function ShelfCard({ model }: { readonly model: ShelfModel }) {
  const { id, label, totalBytes } = model;
  const isBusy = useShelfStore(({ working }) => working !== null);
  const isWhole = isComplete(model);
  return (
    <li className="shelf-card" data-testid="shelf-card" data-model={id}>
      <div className="shelf-card-heading">
        <h3>{label}</h3>
        <DeleteButton
          label={label}
          question={`Delete ${formatBytes(isWhole ? totalBytes : model.presentBytes)}?`}
          isOff={isBusy}
          onDelete={() => deleteModel(id, label)}
        />
      </div>
      <p className="note">{factsOf(model).join(" · ")}</p>
      {isWhole ? <UseModel id={id} label={label} /> : <Unfinished model={model} />}
    </li>
  );
}

function factsOf({ source, totalBytes, license, origin, usedAt, addedAt, files }: ShelfModel): string[] {
  return [
    formatBytes(totalBytes),
    files.length === 1 ? "1 file" : `${files.length} files`,
    source,
    ...(license !== null ? [`licence ${license}`] : origin === "hub" ? ["no licence stated"] : []),
    usedAt === null ? `added ${formatDay(addedAt)}, not used yet` : `last used ${formatDay(usedAt)}`,
  ];
}

function Unfinished({ model }: { readonly model: ShelfModel }) {
  const { id, label, presentBytes, totalBytes, files } = model;
  const moving = useDownloadStore((downloads) => {
    const event = downloads[id];
    return event !== undefined && isMoving(event);
  });
  return (
    <div className="use-model" data-testid="unfinished">
      <div className="unfinished">
        <Progress
          size={6}
          value={totalBytes > 0 ? (100 * presentBytes) / totalBytes : 0}
          aria-label={`Part of ${label} that is here`}
        />
        <span>{formatBytesOf(presentBytes, totalBytes)} here</span>
      </div>
      {moving ? (
        <span className="note">On its way…</span>
      ) : (
        <Button
          size="xs"
          aria-label={`Continue the download of ${label}`}
          onClick={() => void downloadModel({ id, files })}
        >
          Continue
        </Button>
      )}
    </div>
  );
}
