/** Files that outlive a page, by name; a name may have folders, divided by slashes. */

/** Where files are kept. Every call may throw `StorageError`. */
export interface FileStore {
  /** Whether files are still there after the page was closed. */
  readonly isLasting: boolean;
  /** The bytes of a file; null when there is none of that name, or nothing in it. */
  readonly read: (name: string) => Promise<Uint8Array | null>;
  /** Writes a whole file or, when it fails or is cut short, leaves what was there before. */
  readonly write: (name: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Removes a file; one that is not there counts as removed. */
  readonly remove: (name: string) => Promise<void>;
  /** Names of all files, in the order of the alphabet. */
  readonly list: () => Promise<string[]>;
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

/** Files in memory: for tests, and where the browser offers no storage. */
export function memoryStore(): FileStore {
  const files = new Map<string, Uint8Array>();
  return {
    isLasting: false,
    read: (name) => Promise.resolve(files.get(name)?.slice() ?? null),
    write: (name, bytes) => {
      files.set(name, bytes.slice());
      return Promise.resolve();
    },
    remove: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
    list: () => Promise.resolve([...files.keys()].sort()),
  };
}

/** A part of a name that every file system takes, and that no other text shares. */
export function namePart(text: string): string {
  return encodeURIComponent(text).replace(
    /[.!'()*~]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
