/** A model on its way out: as files, or to a repository on the Hub. */
import { create } from "zustand";
import type { ExportKind } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { downloadFile } from "./download.ts";
import { tellHub } from "./hub.ts";
import { addLog, useRunStore } from "./runStore.ts";

interface LeavingState {
  readonly kind: ExportKind;
  readonly isZip: boolean;
  readonly repo: string;
  readonly isPrivate: boolean;
  /** What is being done; null when nothing is. */
  readonly working: "files" | "upload" | null;
  readonly refusal: string | null;
  /** What was saved last, in words; "" before that. */
  readonly saved: string;
  /** Where the last upload can be seen; null before the first. */
  readonly url: string | null;
}

/** The export that is being put together, and the last one. */
export const useLeavingStore = create<LeavingState>(() => ({
  kind: "adapter",
  isZip: true,
  repo: "",
  isPrivate: true,
  working: null,
  refusal: null,
  saved: "",
  url: null,
}));

/** Takes what is chosen; the word on the last export goes. */
export function editLeaving(
  change: Partial<Pick<LeavingState, "kind" | "isZip" | "repo" | "isPrivate">>,
): void {
  useLeavingStore.setState({ ...change, refusal: null, saved: "", url: null });
}

/** Saves the model as files. */
export function saveModel(): Promise<void> {
  const { kind, isZip } = useLeavingStore.getState();
  return leave("files", async () => {
    const files = await callTrainer("exportModel", { kind, isZip });
    for (const file of files) downloadFile(file);
    const saved = files.map(({ name }) => name).join(", ");
    useLeavingStore.setState({ saved });
    noteSaved(`Saved ${saved}.`);
  });
}

/** Uploads the model with the token that was typed. */
export function uploadModel(): Promise<void> {
  const { kind, repo, isPrivate } = useLeavingStore.getState();
  return leave("upload", async () => {
    await tellHub();
    const { url } = await callTrainer("uploadModel", { kind, repo: repo.trim(), isPrivate });
    useLeavingStore.setState({ url });
    noteSaved(`Uploaded to ${url}.`);
  });
}

async function leave(working: "files" | "upload", work: () => Promise<void>): Promise<void> {
  useLeavingStore.setState({ working, refusal: null, saved: "", url: null });
  try {
    await work();
  } catch (error) {
    useLeavingStore.setState({ refusal: sentenceOf(error) });
  } finally {
    useLeavingStore.setState({ working: null });
  }
}

function noteSaved(message: string): void {
  const { step } = useRunStore.getState();
  useRunStore.setState({ savedStep: step });
  addLog({ level: "info", message, step });
}
