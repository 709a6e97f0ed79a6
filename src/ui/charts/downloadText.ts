/** The browser reads an address some time after the click has returned. */
const keepAddressMs = 10_000;

/** Offers a text as a file to save; a copy of `state/download.ts`, because charts know no state. */
export function downloadText(name: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), keepAddressMs);
}
