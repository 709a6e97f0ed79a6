import { useEffect, useState } from "react";
import { chooseDiskFiles } from "../../state/diskModel.ts";
import { raiseError } from "../../state/messageStore.ts";
import { openData, openFiles, openModel } from "../../state/localFiles.ts";
import { usePlaceStore, type Screen } from "../../state/place.ts";
import { openSaeFiles } from "../../state/saes.ts";

/** What files are chosen for. */
type FilePart = "model" | "data" | "sae";

/** Opens the browser's file chooser for a model's or an autoencoder's files, or for a file of pairs. */
export function chooseFiles(part: FilePart): void {
  document.querySelector<HTMLInputElement>(`[data-testid="${part}-files"]`)?.click();
}

/** Empties a file input before its chooser opens: choosing the same file again must count as a change. */
export function chooseAnew({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void {
  currentTarget.value = "";
}

/** The hidden file inputs behind every "choose" button. A program that drives the page fills them itself. */
export function FileInputs() {
  return (
    <div hidden>
      <FileInput part="model" label="Model files" open={openModel} />
      <FileInput part="data" label="Preference pairs" open={openData} />
      <FileInput part="sae" label="Files of an autoencoder" open={openSaeFiles} />
    </div>
  );
}

interface FileInputProps {
  readonly part: FilePart;
  readonly label: string;
  readonly open: (files: readonly File[]) => Promise<void>;
}

function FileInput({ part, label, open }: FileInputProps) {
  return (
    <input
      type="file"
      data-testid={`${part}-files`}
      aria-label={label}
      multiple
      onChange={({ currentTarget }) => {
        const files = [...(currentTarget.files ?? [])];
        if (window.prefscope !== undefined || files.length === 0) return;
        // Choosing the same file again must count as a change.
        currentTarget.value = "";
        (part === "data" ? openFiles(files) : open(files)).catch(raiseError);
      }}
    />
  );
}

interface Drop {
  readonly words: string;
  readonly open: (files: readonly File[]) => Promise<void>;
}

/** What can be dropped on any screen. */
const anywhere: Drop = {
  words: "a model, preference data, an adapter or an autoencoder",
  open: openFiles,
};

/** Screens on which a drop means something of their own. */
const drops: Partial<Record<Screen, Drop>> = {
  features: { words: "the files of an autoencoder", open: openSaeFiles },
  models: { words: "a model or an adapter", open: chooseDiskFiles },
};

/** Lets files and folders be dropped anywhere on the window. */
export function DropTarget() {
  const [isOver, setOver] = useState(false);
  const screen = usePlaceStore((place) => place.screen);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      if (event.dataTransfer === null) return;
      event.preventDefault();
      setOver(false);
      const { open } = drops[usePlaceStore.getState().screen] ?? anywhere;
      droppedFiles(event.dataTransfer).then(open).catch(raiseError);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("dragleave", leave);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("drop", drop);
    };
  }, []);
  if (!isOver) return null;
  return (
    <div className="drop-target" aria-hidden="true">
      <div>
        <strong>Drop it here</strong>
        <span>{(drops[screen] ?? anywhere).words}</span>
      </div>
    </div>
  );
}

/** All files of a drop; a folder gives the files that lie directly in it. */
async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  // The list of files empties itself once the event is over.
  const plain = [...transfer.files];
  const folders = entries.filter((entry) => entry?.isDirectory === true) as FileSystemDirectoryEntry[];
  if (folders.length === 0) return plain;
  const inside = await Promise.all(folders.map((folder) => filesIn(folder)));
  return inside.flat();
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (entries.length === 0) return files;
    const found = entries.filter((entry) => entry.isFile) as FileSystemFileEntry[];
    files.push(...(await Promise.all(found.map((entry) => fileOf(entry)))));
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}
