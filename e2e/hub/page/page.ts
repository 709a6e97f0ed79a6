/** A page that asks the shelf what a journey asks, and remembers what it says unasked. */
import type { DownloadEvent, ErrorReport } from "../../../src/worker/protocol.ts";

/** What is asked of the shelf. */
export interface ShelfQuestion {
  readonly id: number;
  readonly name: string;
  readonly question: unknown;
}

/** What the shelf says. */
export type ShelfReply =
  | { readonly kind: "event"; readonly event: DownloadEvent }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: ErrorReport };

/** What became of a question. */
export interface ShelfOutcome {
  readonly answer: unknown;
  readonly error: ErrorReport | null;
}

declare global {
  interface Window {
    ask: (name: string, question: unknown) => Promise<ShelfOutcome>;
    told: DownloadEvent[];
  }
}

const worker = new Worker(new URL("./shelfWorker.ts", import.meta.url), { type: "module" });
const waiting = new Map<number, (outcome: ShelfOutcome) => void>();
let questions = 0;
window.told = [];
window.ask = (name, question) =>
  new Promise((resolve) => {
    questions += 1;
    waiting.set(questions, resolve);
    worker.postMessage({ id: questions, name, question } satisfies ShelfQuestion);
  });
worker.addEventListener("message", ({ data }: { data: ShelfReply }) => {
  if (data.kind === "event") window.told.push(data.event);
  else if (data.kind === "answer") waiting.get(data.id)?.({ answer: data.answer, error: null });
  else waiting.get(data.id)?.({ answer: null, error: data.error });
});
