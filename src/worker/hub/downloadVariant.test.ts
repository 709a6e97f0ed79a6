/** Downloads with the Hub's real client from a loopback Hub: what arrives, and every way that it does not. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startHub } from "../../../e2e/hub/hubServer.ts";
import { hubCommit, type HubFault, type LoopbackHub } from "../../../e2e/hub/loopbackHub.ts";
import { bytesOf, failureOf, id, openShelf, repo, rows, weights } from "../../../e2e/hub/openShelf.ts";
import { modelRepository, noise } from "../../../e2e/hub/repositories.ts";
import { memoryStore } from "../../storage/memoryStore.ts";
import { openFileStore } from "../../storage/opfs.ts";
import { fakeOpfs } from "../../storage/opfs.testing.ts";
import type { ModelShelfOptions } from "../modelShelf.ts";

let hub: LoopbackHub;
beforeEach(async () => {
  hub = await startHub({ [repo]: modelRepository(rows) });
});
afterEach(() => hub.close());

const fail = (fault: HubFault) => hub.faults.push(fault);
const host = () => new URL(hub.url).host;
const given = (name: string) => hub.repositories.get(repo)!.files.get(name)!;
const asked = (name: string) => hub.requests.filter(({ path }) => path.endsWith(name));

async function expectWhole({ shelfFiles }: ReturnType<typeof openShelf>): Promise<void> {
  const files = await shelfFiles(id);
  expect(files.map(({ name }) => name)).toEqual([
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    weights,
  ]);
  for (const { name, bytes } of files)
    expect(Buffer.compare(await bytesOf(bytes), given(name)), name).toBe(0);
}

describe("a download", () => {
  it("arrives whole, in ranges, and is told with its bytes, its speed and the time left", async () => {
    const shelf = openShelf(hub);
    const model = await shelf.downloadModel({ id });
    await expectWhole(shelf);
    const total = ["config.json", "tokenizer.json", "tokenizer_config.json", weights]
      .map((name) => given(name).length)
      .reduce((sum, bytes) => sum + bytes, 0);
    expect(model).toMatchObject({
      id,
      label: "tiny",
      origin: "hub",
      source: `${repo} @ ${hubCommit.slice(0, 7)}`,
      license: "apache-2.0",
      presentBytes: total,
      totalBytes: total,
      addedAt: 1000,
      usedAt: null,
    });
    // The first question asks where the file is.
    const size = given(weights).length;
    expect(asked(weights).map(({ range }) => range)).toEqual([
      "bytes=0-0",
      "bytes=0-4095",
      "bytes=4096-8191",
      `bytes=8192-${size - 1}`,
    ]);
    expect(shelf.events.at(-1)).toMatchObject({ status: "done", doneBytes: total, totalBytes: total });
    const moving = shelf.events.filter(({ bytesPerSecond }) => bytesPerSecond !== null);
    for (const { doneBytes, totalBytes, bytesPerSecond, secondsLeft } of moving)
      expect(secondsLeft).toBeCloseTo((totalBytes - doneBytes) / bytesPerSecond!, 9);
    expect((await shelf.listShelf(null)).models).toMatchObject([{ id, usedAt: 1000 }]);
    // Nothing comes twice.
    hub.requests.length = 0;
    await shelf.downloadModel({ id });
    expect(asked(weights).map(({ range }) => range)).toEqual(["bytes=0-0"]);
  });

  it("goes on within a range after the connection broke, without asking for anything twice", async () => {
    // The first question asks where the file is, the third is its second range.
    fail({ path: weights, kind: "cut", after: 2, times: 1 });
    const shelf = openShelf(hub);
    await shelf.downloadModel({ id });
    await expectWhole(shelf);
    const begins = asked(weights).map(({ range }) => Number(/(\d+)-/.exec(range!)![1]));
    expect(begins).toEqual([0, 0, 4096, 6144, 10_240]);
    expect(shelf.waits).toEqual([500]);
  });

  it("arrives from a host that does not let the page read where a range lies", async () => {
    const shelf = openShelf(hub, {
      door: {
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          const headers = new Headers(response.headers);
          if (new Headers(init?.headers).get("range") !== "bytes=0-0") headers.delete("content-range");
          return new Response(response.body, { status: response.status, headers });
        },
      },
    });
    await shelf.downloadModel({ id });
    await expectWhole(shelf);
  });

  it("waits as long as the Hub asks to, and longer from try to try where it says nothing", async () => {
    fail({ path: weights, kind: "status", status: 429, headers: { "retry-after": "7" }, after: 1, times: 1 });
    fail({ path: weights, kind: "status", status: 503, times: 2 });
    const shelf = openShelf(hub);
    await shelf.downloadModel({ id });
    await expectWhole(shelf);
    expect(shelf.waits).toEqual([7000, 1500, 4000]);
  });

  it("does not count tries that came further", async () => {
    fail({ path: weights, kind: "cut", after: 1, times: 7 });
    const shelf = openShelf(hub);
    await shelf.downloadModel({ id });
    await expectWhole(shelf);
    expect(shelf.waits).toEqual(Array(7).fill(500));
  });

  it.each([
    [
      { kind: "status", status: 401 },
      "NET-1",
      /did not give "model.safetensors" \(401\)\. There is no "acme\/tiny", or it is private: check the name, or enter a token/,
    ],
    [{ kind: "status", status: 403 }, "NET-1", /\(403\): the token may not do this/],
    [
      { kind: "status", status: 404 },
      "NET-1",
      /"model.safetensors" could not be downloaded \(404\): "acme\/tiny" on 127.0.0.1:\d+ has no such file/,
    ],
    [
      { kind: "status", status: 429, headers: { "retry-after": "120" } },
      "NET-1",
      /too many questions from here \(429\)\. Wait 120 s, then try again/,
    ],
    [{ kind: "status", status: 500 }, "NET-1", /could not give "model.safetensors" \(500\)/],
    [{ kind: "whole" }, "NET-1", /sent something else than the part of "model.safetensors"/],
    [
      { kind: "short" },
      "NET-1",
      /broke while "model.safetensors" came\. 10.* bytes of 10.* bytes are kept: try again to go on/,
    ],
    [
      { kind: "damaged" },
      "FIL-2",
      /"model.safetensors" from 127.0.0.1:\d+ did not arrive as it was sent: its SHA-256 is [\da-f]{8}…, expected [\da-f]{8}…\. It was deleted/,
    ],
  ] as const)("that meets %o says so, and is not listed as complete", async (fault, code, message) => {
    fail({ path: weights, after: 1, ...fault });
    const shelf = openShelf(hub);
    const failure = await failureOf(() => shelf.downloadModel({ id }));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
    expect(failure.details).toMatchObject({ file: weights, host: host(), repo });
    expect(shelf.events.at(-1)).toMatchObject({ status: "failed", reason: failure.message });
    const [model] = (await shelf.listShelf(null)).models;
    expect(model!.presentBytes).toBeLessThan(model!.totalBytes);
    expect(await failureOf(() => shelf.shelfFiles(id))).toMatchObject({ code: "FIL-2" });
    hub.faults.length = 0;
    await shelf.downloadModel({ id });
    await expectWhole(shelf);
  });

  it("tries what may pass and nothing else", async () => {
    for (const [status, tries] of [
      [401, 1],
      [404, 1],
      [503, 5],
    ] as const) {
      hub.requests.length = 0;
      fail({ path: weights, kind: "status", status });
      await failureOf(() => openShelf(hub).downloadModel({ id }));
      expect(asked(weights)).toHaveLength(tries);
      hub.faults.length = 0;
    }
  });

  it("of a small file is held to Git's hash", async () => {
    fail({ path: "tokenizer.json", kind: "damaged", after: 1 });
    const failure = await failureOf(() => openShelf(hub).downloadModel({ id }));
    expect(failure.message).toMatch(/"tokenizer.json" .* its SHA-1 is [\da-f]{8}…, expected [\da-f]{8}…/);
  });

  it("says of a host that is not there that it may be the connection or the host's rules", async () => {
    const shelf = openShelf(hub);
    await hub.close();
    const failure = await failureOf(() => shelf.downloadModel({ id }));
    expect(failure).toMatchObject({ code: "NET-1", details: { host: host(), repo } });
    expect(failure.message).toMatch(
      /connection is down, or the host does not let other pages read it \(CORS\)/,
    );
    expect(shelf.waits).toEqual([500, 1500, 4000, 8000]);
    const offline = openShelf(hub, { door: { isOffline: () => true } });
    expect((await failureOf(() => offline.downloadModel({ id }))).message).toMatch(/this browser is offline/);
    expect(offline.waits).toEqual([]);
  });

  it("of a file that is shorter than the list says is refused before it begins", async () => {
    const files = given(weights);
    const shelf = openShelf(hub, {
      door: {
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          if (url.includes("/tree/")) hub.repositories.get(repo)!.files.set(weights, files.slice(0, 9000));
          return response;
        },
      },
    });
    const failure = await failureOf(() => shelf.downloadModel({ id }));
    expect(failure.code).toBe("FIL-2");
    expect(failure.message).toMatch(
      new RegExp(`^Incomplete file: .* sends 9000 bytes of "${weights}", and lists ${files.length} bytes`),
    );
  });
});

describe("a download that was stopped", () => {
  /** Pauses as soon as so many bytes of the weights are here. */
  async function pausedAt(least: number, options: Partial<Omit<ModelShelfOptions, "door">> = {}) {
    const shelf = openShelf(hub, {
      ...options,
      door: {
        fetch: async (url, init) => {
          const range = Number(
            /bytes=(\d+)-[1-9]/.exec(new Headers(init?.headers).get("range") ?? "")?.[1] ?? 0,
          );
          if (url.endsWith(weights) && range >= least) void shelf.pauseDownload({ id });
          return fetch(url, init);
        },
      },
    });
    const failure = await failureOf(() => shelf.downloadModel({ id }));
    expect(failure).toMatchObject({ code: "RUN-1", message: /paused/.exec(failure.message)?.input });
    expect(shelf.events.at(-1)).toMatchObject({ status: "paused", reason: "" });
    hub.requests.length = 0;
    return shelf;
  }

  it("goes on where it was, also in another session", async () => {
    const store = Promise.resolve(memoryStore());
    await pausedAt(8192, { store });
    const later = openShelf(hub, { store });
    const [model] = (await later.listShelf(null)).models;
    expect(model!.totalBytes - model!.presentBytes).toBe(given(weights).length - 8192);
    await later.downloadModel({ id });
    await expectWhole(later);
    expect(asked(weights).map(({ range }) => range)).toEqual([
      "bytes=0-0",
      `bytes=8192-${given(weights).length - 1}`,
    ]);
    expect(later.events[0]!.doneBytes).toBe(model!.presentBytes);
  });

  it("starts a file again that is another one now, and says so", async () => {
    const store = Promise.resolve(memoryStore());
    await pausedAt(8192, { store });
    hub.repositories.set(repo, modelRepository(rows + 1));
    const later = openShelf(hub, { store });
    await later.downloadModel({ id });
    await expectWhole(later);
    expect(asked(weights)[1]!.range).toBe("bytes=0-4095");
    expect(later.events.map(({ reason }) => reason)).toContain(
      `"${weights}" was changed on ${host()} since the download began: it starts again.`,
    );
  });

  it("that changes while it comes is refused, and starts again when it is asked for again", async () => {
    const shelf = openShelf(hub, {
      door: {
        fetch: async (url, init) => {
          if (new Headers(init?.headers).get("range") === "bytes=4096-8191") {
            const other = given(weights).slice();
            other[other.length - 1]! ^= 1;
            hub.repositories.get(repo)!.files.set(weights, other);
          }
          return fetch(url, init);
        },
      },
    });
    expect(await failureOf(() => shelf.downloadModel({ id }))).toMatchObject({
      code: "FIL-2",
      message: `"${weights}" was changed on ${host()} while it was downloaded. Try again: it starts from its beginning.`,
    });
  });

  it("finds what a crash left damaged", async () => {
    const store = memoryStore();
    await pausedAt(8192, { store: Promise.resolve(store) });
    const [name] = [...(await store.sizes()).keys()].filter((name) => name.endsWith("safetensors"));
    await store.append(name!, noise(100), 8000);
    const later = openShelf(hub, { store: Promise.resolve(store) });
    expect(await failureOf(() => later.downloadModel({ id }))).toMatchObject({ code: "FIL-2" });
    await later.downloadModel({ id });
    await expectWhole(later);
  });

  it("leaves nothing when it is given up", async () => {
    const shelf = await pausedAt(4096);
    expect((await shelf.removeFromShelf({ id })).models).toEqual([]);
    expect([...(await shelf.store.sizes())]).toEqual([]);
  });

  it("because the storage is full says how full, and keeps what has come", async () => {
    const options = { hasSyncFiles: true, hasMove: true, quota: 8000 };
    const store = openFileStore({ ...fakeOpfs(options).door, estimate: async () => ({}) });
    const shelf = openShelf(hub, { store });
    expect(await failureOf(() => shelf.downloadModel({ id }))).toMatchObject({
      code: "STO-1",
      message: "Browser storage is full.",
    });
    const [model] = (await shelf.listShelf(null)).models;
    expect(model!.presentBytes).toBeGreaterThan(4096);
    options.quota = 1e6;
    await shelf.downloadModel({ id });
    await expectWhole(shelf);
  });

  it("does not begin where there is too little room, and says how much is missing", async () => {
    const { door } = fakeOpfs({});
    const store = openFileStore({ ...door, estimate: async () => ({ usage: 4e6, quota: 4_002_000 }) });
    const failure = await failureOf(() => openShelf(hub, { store }).downloadModel({ id }));
    expect(failure.code).toBe("STO-1");
    expect(failure.message).toMatch(
      /^Browser storage is full \(4.0 of 4.0 MB\): 1\d{4} bytes are still to come, there is room for 2000 bytes/,
    );
    expect(asked(weights).map(({ range }) => range)).toEqual(["bytes=0-0"]);
  });
});
