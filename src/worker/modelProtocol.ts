/** The part of the protocol that is about models and adapters: getting them, keeping them, standing them on one another, sending them out. */
import type { FileBytes } from "../engine/files/fileBytes.ts";
import type { BaseWeights } from "../engine/training/config.ts";
import type { FitVerdict } from "../engine/training/fit.ts";

export type { FitVerdict } from "../engine/training/fit.ts";
export type { LayerRounding, WeightReport } from "../engine/models/weightReport.ts";

/** One way to get a model of a repository: its full weights, or one GGUF file. */
export interface ModelVariant {
  /** Id that the model has on the shelf: `hub:<repo>@<revision>` or `hub:<repo>@<revision>#<file>`. */
  readonly id: string;
  readonly label: string;
  readonly format: "safetensors" | "gguf";
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly bytes: number;
  /** By layout on the device; empty where `problem` says why it cannot be loaded. */
  readonly fit: Readonly<Partial<Record<BaseWeights, FitVerdict>>>;
  /** Why it cannot be loaded, in one sentence; null where it can. */
  readonly problem: string | null;
}

/** What a repository on the Hub offers, before anything large is downloaded. */
export interface ModelOffer {
  readonly repo: string;
  /** The commit that was looked at. */
  readonly revision: string;
  readonly architecture: string | null;
  readonly parameters: number | null;
  /** As the repository's card says; null where it says nothing. */
  readonly license: string | null;
  readonly isGated: boolean;
  readonly hasChatTemplate: boolean;
  readonly variants: readonly ModelVariant[];
}

/** A model that is kept in the browser, or is on its way there. */
export interface ShelfModel {
  readonly id: string;
  readonly label: string;
  readonly origin: "hub" | "disk";
  /** Where it comes from, for people: `HuggingFaceTB/SmolLM2-135M-Instruct @ 12fd25f`. */
  readonly source: string;
  readonly license: string | null;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Bytes that are here, and bytes of the whole model. */
  readonly presentBytes: number;
  readonly totalBytes: number;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  readonly usedAt: number | null;
}

/** An adapter that is kept in the browser. */
export interface ShelfAdapter {
  readonly id: string;
  readonly label: string;
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly string[];
  readonly layers: number;
  /** The model it was made on, as its file says. */
  readonly baseModel: string;
  readonly bytes: number;
  readonly origin: "imported" | "run";
  readonly addedAt: number;
  /** Why it does not fit the loaded model, in one sentence; null where it does. */
  readonly problem: string | null;
}

/** What the browser's storage holds. */
export interface StorageUse {
  readonly usedBytes: number;
  /** Null where the browser does not say. */
  readonly quotaBytes: number | null;
  /** False where files are gone with the page. */
  readonly isLasting: boolean;
  readonly byKind: Readonly<Record<"models" | "adapters" | "reference" | "other", number>>;
}

/** Everything that is kept. */
export interface Shelf {
  readonly models: readonly ShelfModel[];
  readonly adapters: readonly ShelfAdapter[];
  readonly storage: StorageUse;
}

/** How far a download is. */
export interface DownloadEvent {
  readonly type: "download";
  readonly id: string;
  readonly status: "downloading" | "checking" | "paused" | "done" | "failed";
  readonly files: readonly {
    readonly name: string;
    readonly doneBytes: number;
    readonly totalBytes: number;
  }[];
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; null before there is a measurement. */
  readonly bytesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** One sentence when it failed, or when a file had to start again because it is another one now; "" otherwise. */
  readonly reason: string;
}

/** How far the loading of a model onto the device is. */
export interface LoadingEvent {
  readonly type: "loading";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Adapters that stand on the loaded model. */
export interface StandingAdapters {
  readonly adapters: readonly { readonly id: string; readonly label: string; readonly scale: number }[];
  /** Rank of their sum: a run that goes on with it needs at least this one. 0 where none stands. */
  readonly rank: number;
}

/** What can leave the studio. */
export const exportKinds = ["adapter", "merged", "gguf-f16", "gguf-q8"] as const;

/** A form in which a model leaves the studio. */
export type ExportKind = (typeof exportKinds)[number];

/** A file that leaves the studio; a large one lies in the browser's storage until it is saved. */
export interface LeavingFile {
  readonly name: string;
  readonly bytes: FileBytes;
}

/** Commands about models and adapters; part of `Commands`. */
export interface ModelCommands {
  /** Which Hub is asked, and with which token, which is kept in memory only. */
  setHub: { question: { hubUrl: string; token: string | null }; answer: null };
  inspectHub: { question: { repo: string; revision: string }; answer: ModelOffer };
  /** Downloads a variant or goes on where it stopped; answers when all of it is here and checked. */
  downloadModel: { question: { id: string }; answer: ShelfModel };
  /** Keeps what has come so far. */
  pauseDownload: { question: { id: string }; answer: null };
  /** Keeps files from a disk. */
  keepModel: {
    question: { label: string; files: readonly { readonly name: string; readonly bytes: FileBytes }[] };
    answer: ShelfModel;
  };
  listShelf: { question: null; answer: Shelf };
  /** Deletes a model, an unfinished download or an adapter. */
  removeFromShelf: { question: { id: string }; answer: Shelf };
  importAdapter: {
    question: { files: readonly { readonly name: string; readonly bytes: FileBytes }[] };
    answer: ShelfAdapter;
  };
  /** Keeps the adapter of the last run. */
  keepAdapter: { question: { label: string }; answer: ShelfAdapter };
  /** Stands these adapters on the loaded model in place of those that stand there; refused while a run goes on. */
  useAdapters: {
    question: { adapters: readonly { readonly id: string; readonly scale: number }[] };
    answer: StandingAdapters;
  };
  /** The last run's model, or where there was none, the loaded model with the adapters that stand on it. */
  exportModel: { question: { kind: ExportKind; isZip: boolean }; answer: readonly LeavingFile[] };
  /** Uploads the same files with the token of `setHub`. */
  uploadModel: {
    question: { kind: ExportKind; repo: string; isPrivate: boolean };
    answer: { readonly url: string };
  };
  /** Perplexity of the held-out chosen answers as the model lies on the device, and with its file's own weights. */
  weightsPerplexity: { question: null; answer: { readonly loaded: number; readonly kept: number } };
}
