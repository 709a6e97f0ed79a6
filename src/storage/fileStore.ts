/** Files that outlive a page, by name; a name may have folders, divided by slashes. */

/** Where files are kept. Every call may throw `StorageError`. */
export interface FileStore {
  /** Whether files are still there after the page was closed. */
  readonly isLasting: boolean;
  /** The bytes of a file; null when there is none of that name, or nothing in it. */
  readonly read: (name: string) => Promise<Uint8Array | null>;
  /** A file where it lies, of which nothing is read yet; null as with `read`. */
  readonly openBlob: (name: string) => Promise<Blob | null>;
  /** Writes a whole file or, when it fails or is cut short, leaves what was there before. */
  readonly write: (name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /**
   * Writes a large file piece by piece, `at` bytes from its start; what lay behind that is cut off. It stays unfinished, and
   * is still there after a crash, until `finish`. Throws RangeError where fewer than `at` bytes are there.
   */
  readonly append: (name: string, bytes: Uint8Array<ArrayBuffer>, at: number) => Promise<void>;
  /** What was appended to a file that is not finished; null where there is nothing. */
  readonly openUnfinished: (name: string) => Promise<Blob | null>;
  /** Puts what was appended under the file's name, in place of what was there. */
  readonly finish: (name: string) => Promise<void>;
  /** Removes a file, finished or not; one that is not there counts as removed. */
  readonly remove: (name: string) => Promise<void>;
  /** Removes a folder with everything in it; one that is not there counts as removed. */
  readonly removeFolder: (name: string) => Promise<void>;
  /** Names of all finished files, in the order of the alphabet. */
  readonly list: () => Promise<string[]>;
  /** Bytes of all files by name, of unfinished ones what is there. */
  readonly sizes: () => Promise<ReadonlyMap<string, number>>;
  /** What is used of how much, everything of this origin together; null where the browser does not say. */
  readonly estimate: () => Promise<StorageEstimate>;
}

/** How full the storage is. */
export interface StorageEstimate {
  readonly usedBytes: number | null;
  readonly quotaBytes: number | null;
}

/** Why a file could not be kept: there is no room, or the browser refused. */
export class StorageError extends Error {
  override name = "StorageError";
  readonly isFull: boolean;

  constructor(message: string, { isFull, cause }: { readonly isFull: boolean; readonly cause: unknown }) {
    super(message, { cause });
    this.isFull = isFull;
  }
}

/** A part of a name that every file system takes, and that no other text shares. */
export function namePart(text: string): string {
  return encodeURIComponent(text).replace(
    /[.!'()*~]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** How full the storage is, in the unit of the whole: `1.9 of 2.0 GB`; empty where the browser does not say. */
export function fullness({ usedBytes, quotaBytes }: StorageEstimate): string {
  if (usedBytes === null || quotaBytes === null) return "";
  const unit = quotaBytes < 1e9 ? { name: "MB", bytes: 1e6 } : { name: "GB", bytes: 1e9 };
  return `${(usedBytes / unit.bytes).toFixed(1)} of ${(quotaBytes / unit.bytes).toFixed(1)} ${unit.name}`;
}
