/** The Hub's real client in a worker of a real browser, with its network, its rules between origins and its storage. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test as base, type Page } from "@playwright/test";
import { build } from "vite";
import type { DownloadEvent, Shelf, ShelfModel } from "../src/worker/protocol.ts";
import { serve } from "../tools/scripts/server.mjs";
import { startHub } from "./hub/hubServer.ts";
import { hubCommit, hubToken, type LoopbackHub } from "./hub/loopbackHub.ts";
import { modelRepository } from "./hub/repositories.ts";
import type { ShelfOutcome } from "./hub/page/page.ts";

const repo = "acme/tiny";
const id = `hub:${repo}@${hubCommit}`;
const weights = "model.safetensors";
/** 640 KB: ten ranges. */
const rows = 20_000;

interface Journey {
  readonly hub: LoopbackHub;
  readonly ask: (name: string, question?: unknown) => Promise<ShelfOutcome>;
}

let site: Awaited<ReturnType<typeof serve>>;
let folder = "";

const test = base.extend<{ readonly journey: Journey }>({
  journey: async ({ page }, provide) => {
    const hub = await startHub({ [repo]: modelRepository(rows) });
    await page.goto(site.url);
    const ask: Journey["ask"] = (name, question = null) =>
      page.evaluate(([name, question]) => window.ask(name as string, question), [name, question]);
    await ask("setHub", { hubUrl: hub.url, token: null });
    await provide({ hub, ask });
    await hub.close();
  },
});

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "prefscope-hub-"));
  await build({
    configFile: false,
    root: join(import.meta.dirname, "hub/page"),
    base: "./",
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir: folder, target: "esnext", emptyOutDir: true },
  });
  site = await serve(folder);
});

test.afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

const told = (page: Page): Promise<DownloadEvent[]> => page.evaluate(() => window.told);
const asked = (hub: LoopbackHub) => hub.requests.filter(({ path }) => path.endsWith(weights));

async function shelfOf(ask: Journey["ask"]): Promise<readonly ShelfModel[]> {
  return ((await ask("listShelf")).answer as Shelf).models;
}

async function expectWhole({ hub, ask }: Journey): Promise<void> {
  const { answer, error } = await ask("hashesOf", id);
  expect(error).toBeNull();
  const names = ["config.json", "tokenizer.json", "tokenizer_config.json", weights];
  const files = hub.repositories.get(repo)!.files;
  const expected = names.map((name) => [name, createHash("sha256").update(files.get(name)!).digest("hex")]);
  expect(answer).toEqual(Object.fromEntries(expected));
}

/** Nothing half-loaded counts as a model. */
async function expectUnfinished(ask: Journey["ask"]): Promise<void> {
  for (const { presentBytes, totalBytes } of await shelfOf(ask))
    expect(presentBytes).toBeLessThan(totalBytes);
  expect((await ask("hashesOf", id)).error).not.toBeNull();
}

test("a model is looked at, downloaded in ranges and kept in the browser", async ({
  journey: { hub, ask },
  page,
}) => {
  const { answer } = await ask("inspectHub", { repo, revision: "" });
  expect(answer).toMatchObject({ revision: hubCommit, architecture: "llama", license: "apache-2.0" });
  expect((await ask("downloadModel", { id })).error).toBeNull();
  await expectWhole({ hub, ask });
  expect(asked(hub).length).toBeGreaterThan(10);
  const events = await told(page);
  expect(events.at(-1)).toMatchObject({ status: "done" });
  for (const [place, { doneBytes }] of events.entries())
    expect(doneBytes).toBeGreaterThanOrEqual(events[place - 1]?.doneBytes ?? 0);
  await page.reload();
  await expectWhole({ hub, ask });
  expect(await shelfOf(ask)).toMatchObject([{ id, presentBytes: expect.any(Number) }]);
});

test("a broken connection goes on by itself", async ({ journey: { hub, ask } }) => {
  hub.faults.push({ path: weights, kind: "cut", after: 4, times: 1 });
  expect((await ask("downloadModel", { id })).error).toBeNull();
  await expectWhole({ hub, ask });
});

test("a download goes on after the page died", async ({ journey: { hub, ask }, page }) => {
  hub.faults.push({ path: weights, kind: "stall", after: 6 });
  void ask("downloadModel", { id }).catch(() => undefined);
  await expect.poll(() => asked(hub).length).toBe(7);
  await page.reload();
  await ask("setHub", { hubUrl: hub.url, token: null });
  hub.faults.length = 0;
  await expectUnfinished(ask);
  hub.requests.length = 0;
  expect((await ask("downloadModel", { id })).error).toBeNull();
  await expectWhole({ hub, ask });
  // The place first, then the range that was stalled.
  expect(asked(hub)[1]!.range).toBe(`bytes=${5 * 65_536}-${6 * 65_536 - 1}`);
});

test("what arrives damaged is deleted, and says which checksum was expected", async ({
  journey: { hub, ask },
}) => {
  hub.faults.push({ path: weights, kind: "damaged" });
  const { error } = await ask("downloadModel", { id });
  expect(error).toMatchObject({ code: "FIL-2" });
  expect(error!.message).toMatch(/did not arrive as it was sent: its SHA-256 is \w{8}…, expected \w{8}…/);
  await expectUnfinished(ask);
});

for (const [status, words] of [
  [401, "check the name, or enter a token that may read it"],
  [404, `"${repo}" on HOST has no such file`],
] as const)
  test(`a refusal with ${status} is said in words`, async ({ journey: { hub, ask } }) => {
    hub.faults.push({ path: weights, kind: "status", status, after: 1 });
    const { error } = await ask("downloadModel", { id });
    expect(error).toMatchObject({ code: "NET-1", details: { status, file: weights } });
    expect(error!.message).toContain(words.replace("HOST", new URL(hub.url).host));
    await expectUnfinished(ask);
  });

test("a host that lets no other page read it cannot be told from none, and both are said", async ({
  journey: { hub, ask },
}) => {
  hub.faults.push({ path: weights, kind: "noCors" });
  const { error } = await ask("downloadModel", { id });
  expect(error).toMatchObject({ code: "NET-1" });
  expect(error!.message).toMatch(/connection is down, or the host does not let other pages read it \(CORS\)/);
  await expectUnfinished(ask);
});

test("a full storage says so, before and while it fills", async ({ journey: { hub, ask }, page }) => {
  const browser = await page.context().newCDPSession(page);
  const { origin } = new URL(site.url);
  const allow = (quotaSize?: number) =>
    browser.send("Storage.overrideQuotaForOrigin", {
      origin,
      ...(quotaSize === undefined ? {} : { quotaSize }),
    });
  // Chromium may tell the page another quota than the one that it holds it to.
  const full = /^Browser storage is full(?: \(0\.\d of 0\.\d MB\)|\. The browser takes no more)/;
  await allow(200_000);
  const before = await ask("downloadModel", { id });
  expect(before.error).toMatchObject({ code: "STO-1" });
  expect(before.error!.message).toMatch(full);
  await expectUnfinished(ask);
  await allow(2_000_000);
  hub.requests.length = 0;
  // The Hub asks for a pause, which is when the room becomes less.
  const headers = { "retry-after": "20" };
  hub.faults.push({ path: weights, kind: "status", status: 429, headers, after: 4, times: 1 });
  const download = ask("downloadModel", { id });
  await expect.poll(() => asked(hub).length).toBeGreaterThan(4);
  await allow(400_000);
  const { error } = await download;
  expect(error).toMatchObject({ code: "STO-1" });
  expect(error!.message).toMatch(full);
  await expectUnfinished(ask);
  await allow();
  expect((await ask("downloadModel", { id })).error).toBeNull();
  await expectWhole({ hub, ask });
});

test("a token opens what is gated, and uploads", async ({ journey: { hub, ask } }) => {
  hub.repositories.set(repo, modelRepository(rows, {}, { isGated: true }));
  expect((await ask("downloadModel", { id })).error!.message).toContain("is gated. Accept its licence at");
  await ask("setHub", { hubUrl: hub.url, token: hubToken });
  expect((await ask("downloadModel", { id })).error).toBeNull();
  await expectWhole({ hub, ask });
  const text = "weights ".repeat(1000);
  expect(await ask("upload", { repo: "me/mine", text })).toEqual({
    answer: `${hub.url}/me/mine`,
    error: null,
  });
  const there = hub.repositories.get("me/mine")?.files.get(weights);
  expect(Buffer.from(there ?? []).toString()).toBe(text);
});
