/** The shelf in a worker of its own, with the browser's network and storage: what a journey needs of the trainer, and no more. */
import { openFileStore } from "../../../src/storage/opfs.ts";
import { reportError } from "../../../src/worker/errorReport.ts";
import { browserDoor } from "../../../src/worker/hub/hubAccess.ts";
import { createModelShelf } from "../../../src/worker/modelShelf.ts";
import type { ShelfQuestion, ShelfReply } from "./page.ts";

const scope = globalThis as unknown as {
  postMessage: (reply: ShelfReply) => void;
  addEventListener: (type: "message", listener: (message: { data: ShelfQuestion }) => void) => void;
};

/** Ranges are small, so that small files have several; nobody waits as long as for a real Hub. */
const door = {
  ...browserDoor,
  rangeBytes: 1 << 16,
  wait: (ms: number, signal?: AbortSignal) => browserDoor.wait(ms / 5, signal),
};

const shelf = createModelShelf({
  store: openFileStore(),
  emit: (event) => scope.postMessage({ kind: "event", event }),
  fitOf: async () => ({}),
  listAdapters: async () => [],
  removeAdapter: async () => false,
  door,
});

/** SHA-256 of every file of a model as it lies in the storage. */
async function hashesOf(id: string): Promise<Record<string, string>> {
  const files = await shelf.shelfFiles(id);
  const hashes = files.map(async ({ name, bytes }) => {
    const digest = await crypto.subtle.digest("SHA-256", await new Blob([bytes as Blob]).arrayBuffer());
    return [name, [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")];
  });
  return Object.fromEntries(await Promise.all(hashes)) as Record<string, string>;
}

const answers: Record<string, (question: never) => unknown> = {
  ...shelf.handlers,
  hashesOf,
  upload: ({ repo, text }: { repo: string; text: string }) =>
    shelf.uploadFiles([{ name: "model.safetensors", bytes: new Blob([text]) }], { repo, isPrivate: false }),
};

scope.addEventListener("message", ({ data: { id, name, question } }) => {
  void (async () => {
    try {
      scope.postMessage({ kind: "answer", id, answer: await answers[name]?.(question as never) });
    } catch (error) {
      scope.postMessage({ kind: "error", id, error: reportError(error) });
    }
  })();
});
