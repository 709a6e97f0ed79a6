/** The key of an endpoint reaches its server, and nothing else: no event, answer, error, log line, checkpoint or file. */
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunConfig } from "../engine/training/config.ts";
import { reportError } from "./errorReport.ts";
import type { CommandName, Commands, WorkerEvent } from "./protocol.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

vi.setConfig({ testTimeout: 60_000 });

const key = "sk-T9qZ3vLm8RxWc2Yd";
/** Pieces of the key that would give it away, and other ways to write it. */
const traces = [
  ...Array.from({ length: key.length - 7 }, (_, at) => key.slice(at, at + 8)),
  Buffer.from(key).toString("base64").slice(0, 16),
  encodeURIComponent(key),
].map((trace) => trace.toLowerCase());

const { session, events, heard } = openStudio();
/** Everything that was answered and said, also to the console. */
const told: unknown[] = [];
let server: Server;
/** Authorization headers by path. */
const heardKeys = new Map<string, Set<string>>();

/** How the server answers on each path; some say what they heard. */
const manners: Record<
  string,
  (authorization: string) => { status: number; body: string; headers?: Record<string, string> }
> = {
  "/well": () => ({ status: 200, body: reply("7") }),
  "/denied": (authorization) => ({ status: 401, body: `Wrong key: ${authorization}` }),
  "/forbidden": (authorization) => ({
    status: 403,
    body: JSON.stringify({ error: { message: authorization } }),
  }),
  "/missing": (authorization) => ({ status: 404, body: authorization }),
  "/odd": (authorization) => ({ status: 422, body: authorization, headers: { "x-echo": authorization } }),
  "/echo": (authorization) => ({
    status: 200,
    body: reply(`I heard ${authorization}, ${authorization.slice(7, 19)}`),
  }),
  "/raw": (authorization) => ({ status: 200, body: authorization }),
  "/moved": (authorization) => ({
    status: 302,
    body: "",
    headers: { location: `/well?key=${authorization.slice(7)}` },
  }),
};

function reply(content: string): string {
  return JSON.stringify({ choices: [{ message: { role: "assistant", content } }] });
}

beforeAll(async () => {
  for (const name of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, name).mockImplementation((...said) => void told.push(said));
  server = createServer((request, response) => {
    request.resume();
    const path = (request.url ?? "").replace("/chat/completions", "");
    const authorization = request.headers.authorization ?? "";
    heardKeys.set(path, (heardKeys.get(path) ?? new Set()).add(authorization));
    const manner = manners[path];
    // A connection that breaks.
    if (manner === undefined) return void request.socket.destroy();
    const { status, body, headers = {} } = manner(authorization);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  const files = [tinyDataFile()];
  const how = { maxTokens: 32, terminator: "auto", layout: "", columns: {}, steps: [] as [] } as const;
  await session.loadData({ id: "local", objective: "", files, ...how });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await new Promise((resolve) => server.close(resolve));
});

/** Asks the session, and keeps what it answers or why it refuses. */
async function ask<Name extends CommandName>(
  name: Name,
  question: Commands[Name]["question"],
): Promise<unknown> {
  try {
    const answer: unknown = await session[name](question);
    told.push(answer);
    return answer;
  } catch (error) {
    told.push(reportError(error), error, error instanceof Error ? [error.stack, error.cause] : []);
    return reportError(error);
  }
}

const baseUrl = () => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
};
const setEndpoint = (change: Partial<NonNullable<Commands["setEndpoint"]["question"]["endpoint"]>>) =>
  ask("setEndpoint", { endpoint: { url: baseUrl(), model: "tiny", key, rubric: "Be kind.", ...change } });

/** A value with everything in it as text: files are read, errors are spelt out. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString("latin1");
    if (inner instanceof Error) return { name: inner.name, message: inner.message };
    return ArrayBuffer.isView(inner) ? "" : inner;
  });
}

const isEnd = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && ["done", "failed", "stopped"].includes(event.phase);

it("stays between the worker and the endpoint, whatever either of them does", async () => {
  const items = [
    { prompt: "the a", answer: " is kind" },
    { prompt: "the b", answer: " is sad" },
  ];
  const said = new Map<string, string>();
  for (const path of [...Object.keys(manners), "/broken"]) {
    await setEndpoint({ url: `${baseUrl()}${path}` });
    said.set(path, textOf(await ask("scoreAnswers", { judge: { kind: "endpoint" }, items })));
    await ask("listJudges", null);
    expect([path, [...(heardKeys.get(path) ?? [])]]).toEqual([
      path,
      expect.arrayContaining([`Bearer ${key}`]),
    ]);
  }
  expect(said.get("/well")).toBe('[{"score":0.4},{"score":0.4}]');
  expect(said.get("/denied")).toContain("(401)");
  expect(said.get("/echo")).toContain("I heard Bearer •••");
  expect(said.get("/moved")).toContain("sends on to another address");

  // What is refused is not repeated.
  for (const change of [
    { url: `${baseUrl()}/?key=${key}` },
    { url: `https://${key}@127.0.0.1` },
    { url: key },
    { rubric: key },
    { model: key },
    { key: `${key}\n${key}` },
    { key: `${key}é` },
  ])
    expect(textOf(await setEndpoint(change))).toContain("CFG-1");

  // A whole run by this judge, and everything that leaves it.
  await setEndpoint({ url: `${baseUrl()}/well` });
  const config: RunConfig = {
    ...tinyRunConfig,
    steps: 2,
    rounds: 1,
    onlinePrompts: 2,
    judges: [
      { judge: { kind: "endpoint" }, weight: 1 },
      { judge: { kind: "length", words: 3 }, weight: 1 },
    ],
    heldoutJudge: { kind: "words", liked: ["kind"], disliked: [] },
  };
  await ask("preflight", { config });
  await ask("start", { runId: "run", config, resume: null, isStepping: false });
  expect((await heard(isEnd)).phase).toBe("done");
  await ask("exportRound", {
    record: events.flatMap((event) => (event.type === "round" ? event.record : []))[0]!,
  });
  await ask("exportAdapter", null);
  await ask("exportProject", { config: { ...config, rounds: 0 } });
  await ask("exportModel", { kind: "adapter", isZip: false });
  await ask("describe", null);
  await ask("listJudges", null);
  await ask("setEndpoint", { endpoint: null });
  expect(textOf(await ask("scoreAnswers", { judge: { kind: "endpoint" }, items }))).toContain(
    "no address yet",
  );

  const everything = textOf([events, told]);
  const rounds = events.filter(({ type }) => type === "round" || type === "checkpoint");
  // It is read, so that it can be found: what is known to be in there is.
  for (const part of ["Be kind.", "adapter_model.safetensors", "(401)", "train.py"])
    expect([part, everything.includes(part)]).toEqual([part, true]);
  expect(rounds.length).toBeGreaterThan(1);
  const lower = everything.toLowerCase();
  expect(traces.filter((trace) => lower.includes(trace))).toEqual([]);
});
