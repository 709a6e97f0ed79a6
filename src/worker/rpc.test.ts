import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Request, WorkerEvent } from "./protocol.ts";
import { connect, heartbeatLimitMs, TrainerError, type WorkerPort } from "./rpc.ts";

/** A worker that says what a test makes it say. */
class TestPort {
  readonly asked: Request[] = [];
  readonly transferred: unknown[] = [];
  isTerminated = false;
  readonly #listeners = new Map<string, (event: unknown) => void>();

  readonly port = {
    postMessage: (request: Request, transfer: unknown[]) => {
      this.asked.push(request);
      this.transferred.push(...transfer);
    },
    addEventListener: (type: string, listener: (event: unknown) => void) => {
      this.#listeners.set(type, listener);
    },
    terminate: () => {
      this.isTerminated = true;
    },
  } as unknown as WorkerPort;

  say(data: unknown): void {
    this.#listeners.get("message")?.({ data: structuredClone(data) });
  }

  fail(message: string): void {
    this.#listeners.get("error")?.({ message });
  }
}

const heartbeat = { kind: "event", event: { type: "heartbeat" } };

let worker: TestPort;
let connection: ReturnType<typeof connect>;

beforeEach(() => {
  vi.useFakeTimers();
  worker = new TestPort();
  connection = connect(worker.port);
});

afterEach(() => {
  connection.terminate();
  vi.useRealTimers();
});

/** What a promise was rejected with. */
async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("a connection", () => {
  it("gives every question its own answer, in whatever order they come", async () => {
    const first = connection.call("describe", null);
    const second = connection.call("inspectPair", { pairIndex: 3 });
    const [one, two] = worker.asked;
    expect(one).toMatchObject({ name: "describe", question: null });
    expect(two).toMatchObject({ name: "inspectPair", question: { pairIndex: 3 } });
    expect(one?.id).not.toBe(two?.id);
    worker.say({ kind: "answer", id: two?.id, answer: "second" });
    worker.say({ kind: "answer", id: one?.id, answer: "first" });
    expect(await Promise.all([first, second])).toEqual(["first", "second"]);
  });

  it("hands buffers over", () => {
    const { buffer } = new Uint8Array(4);
    void connection
      .call("loadModel", { id: "local", files: [], weights: "keep" }, [buffer])
      .catch(() => undefined);
    expect(worker.transferred).toEqual([buffer]);
  });

  it("makes errors of the trainer a class again", async () => {
    const question = rejectionOf(connection.call("pause", null));
    const error = { name: "StudioError", code: "RUN-1", message: "Nothing runs.", details: { step: 3 } };
    worker.say({ kind: "error", id: worker.asked[0]?.id, error });
    const caught = await question;
    expect(caught).toBeInstanceOf(TrainerError);
    expect(caught).toMatchObject(error);
  });

  it("tells events to every listener until it leaves", () => {
    const heard: WorkerEvent[] = [];
    const leave = connection.onEvent((event) => heard.push(event));
    connection.onEvent((event) => heard.push(event));
    worker.say(heartbeat);
    leave();
    worker.say(heartbeat);
    expect(heard).toHaveLength(3);
  });

  it("hears of numbers that went wrong", () => {
    const heard: WorkerEvent[] = [];
    connection.onEvent((event) => heard.push(event));
    const metrics = { loss: NaN, "eval_logps/chosen": -Infinity };
    const event = { type: "steps", runId: "run", steps: [{ step: 1, activeMs: 2, metrics }] };
    worker.say({ kind: "event", event });
    expect(heard).toEqual([event]);
  });

  it.each([
    ["an unknown event", "type", { kind: "event", event: { type: "song" } }],
    [
      "a phase that is no word",
      "phase",
      { kind: "event", event: { type: "phase", runId: "", phase: "asleep", step: 0, progress: null } },
    ],
    ["a stray field", "extra", { kind: "answer", id: 1, answer: null, extra: 1 }],
  ])("takes %s for death and names it", async (_, named, message) => {
    const reasons: string[] = [];
    connection.onDeath((reason) => reasons.push(reason));
    const open = rejectionOf(connection.call("describe", null));
    worker.say(message);
    expect(reasons).toEqual([expect.stringContaining(named)]);
    expect(await open).toMatchObject({ code: "WRK-1" });
    expect(worker.isTerminated).toBe(true);
  });
});

describe("death", () => {
  it("by an error rejects open and later questions with WRK-1, and is told once", async () => {
    const reasons: string[] = [];
    connection.onDeath((reason) => reasons.push(reason));
    const open = rejectionOf(connection.call("describe", null));
    worker.fail("Uncaught Error: out of luck");
    worker.fail("again");
    for (const caught of [await open, await rejectionOf(connection.call("stop", null))]) {
      expect(caught).toBeInstanceOf(TrainerError);
      expect(caught).toMatchObject({
        code: "WRK-1",
        message: "The trainer stopped: Uncaught Error: out of luck.",
      });
    }
    expect(reasons).toEqual(["Uncaught Error: out of luck"]);
    expect(worker.isTerminated).toBe(true);
    expect(worker.asked).toHaveLength(1);
  });

  it("by silence comes after the limit, and any sign of life puts it off", async () => {
    const reasons: string[] = [];
    connection.onDeath((reason) => reasons.push(reason));
    const open = rejectionOf(connection.call("describe", null));
    for (let beat = 0; beat < 3; beat++) {
      vi.advanceTimersByTime(heartbeatLimitMs - 1);
      worker.say(heartbeat);
    }
    vi.advanceTimersByTime(heartbeatLimitMs - 1);
    expect(reasons).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(reasons).toEqual(["no sign of life for 15 s"]);
    expect(await open).toMatchObject({ code: "WRK-1" });
    expect(worker.isTerminated).toBe(true);
  });

  it("is not told when the page ends the trainer itself, but no question is left open", async () => {
    const reasons: string[] = [];
    connection.onDeath((reason) => reasons.push(reason));
    const open = rejectionOf(connection.call("describe", null));
    connection.terminate();
    vi.advanceTimersByTime(2 * heartbeatLimitMs);
    worker.fail("late");
    worker.say(heartbeat);
    expect(await open).toMatchObject({ code: "WRK-1" });
    expect(reasons).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
