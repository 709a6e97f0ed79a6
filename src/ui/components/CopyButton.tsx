import { Button } from "@mantine/core";
import { useState } from "react";

/** How long the button says that it has copied. */
const saidMs = 2000;

/** Puts text on the clipboard; false when the browser does not allow it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies a text and says so; where the browser forbids it, it says that instead. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [outcome, setOutcome] = useState<"copied" | "refused" | null>(null);
  const copy = async () => {
    setOutcome((await copyText(text)) ? "copied" : "refused");
    setTimeout(() => {
      setOutcome(null);
    }, saidMs);
  };
  const words = { copied: "Copied", refused: "Select the text to copy it" };
  return (
    <Button variant="default" size="xs" onClick={() => void copy()} aria-live="polite">
      {outcome === null ? label : words[outcome]}
    </Button>
  );
}
