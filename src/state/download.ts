/** Hands files to the browser to save. */

/** Offers a file to save. */
export function download(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser needs the address until it has started to read it.
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 10_000);
}

/** Offers a file to save whose bytes are in memory or lie in the browser's storage. */
export function downloadFile({
  name,
  bytes,
}: {
  readonly name: string;
  readonly bytes: Uint8Array | Blob;
}): void {
  download(name, bytes instanceof Blob ? bytes : new Blob([bytes.slice()]));
}

/** Offers files to save as one zip file. */
export async function downloadZip(
  name: string,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<void> {
  const { zipSync } = await import("fflate");
  const entries = Object.fromEntries(files.map((file) => [file.name, file.bytes]));
  downloadFile({ name, bytes: zipSync(entries) });
}
