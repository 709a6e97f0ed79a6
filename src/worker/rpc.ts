/** The page's end of the wall: typed questions to the trainer, its events, and its death. */
import { replySchema } from "./schemas.ts";
import type {
  CommandName,
  Commands,
  ErrorReport,
  MessageCode,
  Reply,
  Request,
  WorkerEvent,
} from "./protocol.ts";

/** An error that happened in the trainer, as a class again. */
export class TrainerError extends Error {
  override readonly name: string;
  readonly code: MessageCode;
  readonly details: ErrorReport["details"];

  constructor(report: ErrorReport) {
    super(report.message);
    this.name = report.name;
    this.code = report.code;
    this.details = report.details;
  }
}

/** A live connection to one trainer. */
export interface Connection {
  /** Asks and waits; rejects with `TrainerError`. */
  readonly call: <Name extends CommandName>(
    name: Name,
    question: Commands[Name]["question"],
    transfer?: readonly Transferable[],
  ) => Promise<Commands[Name]["answer"]>;
  readonly onEvent: (listener: (event: WorkerEvent) => void) => () => void;
  /** Called once when the worker dies or cannot be understood any more; every open question is rejected with WRK-1 first. */
  readonly onDeath: (listener: (reason: string) => void) => () => void;
  /** Ends the trainer on purpose: open questions are rejected, nobody is told of a death. */
  readonly terminate: () => void;
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: TrainerError) => void;
}

/** The part of `Worker` a connection needs, so that a test can stand in for it. */
export type WorkerPort = Pick<Worker, "postMessage" | "addEventListener" | "terminate">;

/** Heartbeats come every second while the trainer breathes; this long without one means it is dead. */
export const heartbeatLimitMs = 15_000;

/** Characters kept of why a message could not be read. */
const LONGEST_REASON = 200;

/** Talks to a trainer through its worker. */
export function connect(worker: WorkerPort): Connection {
  const waiting = new Map<number, Waiting>();
  const eventListeners = new Set<(event: WorkerEvent) => void>();
  const deathListeners = new Set<(reason: string) => void>();
  let nextId = 1;
  let deathReason: string | null = null;

  const end = (reason: string) => {
    deathReason = reason;
    clearTimeout(watchdog);
    worker.terminate();
    for (const { reject } of waiting.values()) reject(stopped(reason));
    waiting.clear();
  };
  const died = (reason: string) => {
    if (deathReason !== null) return;
    end(reason);
    for (const listener of deathListeners) listener(reason);
  };
  const watch = () =>
    setTimeout(() => {
      died(`no sign of life for ${heartbeatLimitMs / 1000} s`);
    }, heartbeatLimitMs);
  let watchdog = watch();

  worker.addEventListener("error", (event) => {
    died(event.message || "the worker could not be loaded");
  });
  worker.addEventListener("message", (message) => {
    if (deathReason !== null) return;
    clearTimeout(watchdog);
    watchdog = watch();
    const reply = readReply(message.data);
    if (typeof reply === "string") {
      died(`it said what nobody understands: ${reply}`);
      return;
    }
    if (reply.kind === "event") {
      for (const listener of eventListeners) listener(reply.event);
      return;
    }
    const question = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.kind === "answer") question?.resolve(reply.answer as never);
    else question?.reject(new TrainerError(reply.error));
  });

  return {
    call: (name, question, transfer = []) =>
      new Promise((resolve, reject) => {
        if (deathReason !== null) {
          reject(stopped(deathReason));
          return;
        }
        const request: Request = { id: nextId++, name, question };
        waiting.set(request.id, { resolve, reject });
        worker.postMessage(request, [...transfer]);
      }),
    onEvent: (listener) => subscribe(eventListeners, listener),
    onDeath: (listener) => subscribe(deathListeners, listener),
    terminate: () => {
      if (deathReason === null) end("it was closed");
    },
  };
}

/** A message of the trainer, or why it cannot be read. */
function readReply(data: unknown): Reply | string {
  try {
    return replySchema.parse(data);
  } catch (error) {
    const [issue] = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues ?? [];
    // Where it is wrong comes before what would be right, which can be long.
    const place =
      issue === undefined || issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `;
    const reason = place + (error instanceof Error ? error.message : String(error));
    return reason.replaceAll(/\s+/g, " ").slice(0, LONGEST_REASON);
  }
}

function stopped(reason: string): TrainerError {
  return new TrainerError({
    name: "WorkerStoppedError",
    code: "WRK-1",
    message: `The trainer stopped: ${reason}.`,
    details: { reason },
  });
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
