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
