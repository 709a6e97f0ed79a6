/** The worker's entry: checks what comes in, answers, and lets the page hear that it is alive. */
import { openFileStore } from "../storage/opfs.ts";
import { reportError } from "./errorReport.ts";
import type { CommandName, Commands, Reply, WorkerEvent } from "./protocol.ts";
import { parseRequest } from "./schemas.ts";
import { createSession, type Handlers } from "./session.ts";

const HEARTBEAT_EVERY_MS = 1000;

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  /** The page's address: whoever makes the worker names it so, because the worker's own script lies elsewhere. */
  readonly name: string;
  postMessage(reply: Reply): void;
  addEventListener(type: "message", listener: (message: { readonly data: unknown }) => void): void;
}

const scope = globalThis as unknown as WorkerScope;

function send(reply: Reply): void {
  scope.postMessage(reply);
}

function emit(event: WorkerEvent): void {
  send({ kind: "event", event });
}

async function fetchFile(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, scope.name));
  if (!response.ok) throw new Error(`"${path}" could not be loaded (${response.status}).`);
  return new Uint8Array(await response.arrayBuffer());
}

const handlers = createSession({ emit, fetchFile, store: openFileStore() });

function answer<Name extends CommandName>(
  name: Name,
  question: Commands[Name]["question"],
): ReturnType<Handlers[Name]> {
  return handlers[name](question) as ReturnType<Handlers[Name]>;
}

scope.addEventListener("message", (message) => {
  void (async () => {
    let id = 0;
    try {
      const request = parseRequest(message.data);
      ({ id } = request);
      send({ kind: "answer", id, answer: await answer(request.name, request.question) });
    } catch (error) {
      id ||= requestId(message.data);
      send({ kind: "error", id, error: reportError(error) });
    }
  })();
});

/** The id of a request that could not be read as a whole. */
function requestId(data: unknown): number {
  const { id } = (data ?? {}) as { id?: unknown };
  return typeof id === "number" ? id : 0;
}

setInterval(() => {
  emit({ type: "heartbeat" });
}, HEARTBEAT_EVERY_MS);
