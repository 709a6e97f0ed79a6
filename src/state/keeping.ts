/** Asks the browser not to clear what is kept here when space runs short. */
import { create } from "zustand";

interface KeepingState {
  /** Null before it is known, or where the browser cannot be asked. */
  readonly isKept: boolean | null;
  /** The browser's answer in words; "" before it was asked. */
  readonly answer: string;
}

/** What the browser promised. */
export const useKeepingStore = create<KeepingState>(() => ({ isKept: null, answer: "" }));

/** Looks up whether the browser has promised to keep the data. */
export async function lookUpKeeping(): Promise<void> {
  const isKept = (await storage()?.persisted?.()) ?? null;
  useKeepingStore.setState({ isKept });
}

/** Asks the browser to keep the data. */
export async function askToKeep(): Promise<void> {
  const isKept = (await storage()?.persist?.()) ?? null;
  useKeepingStore.setState({ isKept, answer: answers[String(isKept)] ?? "" });
}

const answers: Readonly<Record<string, string>> = {
  true: "The browser keeps it until you delete it.",
  false:
    "The browser did not agree. Most agree once the page is bookmarked, installed or used often; ask again then.",
  null: "This browser cannot be asked.",
};

/** Absent on a page without https. */
function storage(): Partial<StorageManager> | undefined {
  return (navigator as Partial<Navigator>).storage;
}
