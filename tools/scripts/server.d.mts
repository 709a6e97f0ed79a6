/** A folder served to this machine only. */
export interface ServedFolder {
  readonly port: number;
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Serves a folder on a port, or on any free one. */
export function serve(
  folder: string,
  options?: { readonly port?: number; readonly canMove?: boolean },
): Promise<ServedFolder>;
