/** What is kept, what is told of it, and what leaves for a loopback Hub. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startHub } from "../../e2e/hub/hubServer.ts";
import { hubToken, type HubFault, type LoopbackHub } from "../../e2e/hub/loopbackHub.ts";
import { bytesOf, failureOf, id, openShelf, repo, rows, weights } from "../../e2e/hub/openShelf.ts";
import { modelRepository, noise } from "../../e2e/hub/repositories.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { openFileStore } from "../storage/opfs.ts";
import { fakeOpfs } from "../storage/opfs.testing.ts";
import type { ShelfAdapter } from "./protocol.ts";

let hub: LoopbackHub;
beforeEach(async () => {
  hub = await startHub({ [repo]: modelRepository(rows) });
});
afterEach(() => hub.close());

const fail = (fault: HubFault) => hub.faults.push(fault);
const asked = (name: string) => hub.requests.filter(({ path }) => path.endsWith(name));

describe("the shelf", () => {
  it("keeps files of a disk under a name of their own, and counts what is stored by kind", async () => {
    const shelf = openShelf(hub, {
      listAdapters: async () => [{ id: "adapter:1" } as ShelfAdapter],
      removeAdapter: async (adapter) => adapter === "adapter:1",
    });
    await shelf.store.write("reference/a", noise(5));
    await shelf.store.write("adapters/a/b", noise(7));
    await shelf.store.write("notes", noise(3));
    const files = [{ name: "folder/model.safetensors", bytes: new Blob([noise(9000)]) }];
    const first = await shelf.keepModel({ label: "mine", files });
    const second = await shelf.keepModel({ label: "mine", files });
    expect([first.id, second.id]).toEqual(["disk:mine", "disk:mine (2)"]);
    expect(first).toMatchObject({
      origin: "disk",
      source: "from the disk",
      presentBytes: 9000,
      totalBytes: 9000,
    });
    const [opened] = await shelf.shelfFiles("disk:mine (2)");
    expect(opened!.name).toBe("folder/model.safetensors");
    expect(Buffer.compare(await bytesOf(opened!.bytes), noise(9000))).toBe(0);
    const { adapters, models, storage } = await shelf.listShelf(null);
    expect(adapters).toMatchObject([{ id: "adapter:1" }]);
    expect(models.map(({ usedAt }) => usedAt)).toEqual([null, 1000]);
    expect(storage).toMatchObject({ isLasting: false, quotaBytes: null });
    expect(storage.byKind).toMatchObject({ adapters: 7, reference: 5, other: 3 });
    expect(storage.byKind.models).toBeGreaterThan(18_000);
    expect((await shelf.removeFromShelf({ id: "adapter:1" })).models).toHaveLength(2);
    expect((await shelf.removeFromShelf({ id: first.id })).models).toHaveLength(1);
  });

  it("gives files that are kept at once a name of their own each", async () => {
    const shelf = openShelf(hub);
    const [first, second] = [noise(9000), noise(7000)];
    const kept = await Promise.all(
      [first, second].map((bytes) =>
        shelf.keepModel({ label: "mine", files: [{ name: "m.gguf", bytes: new Blob([bytes]) }] }),
      ),
    );
    expect(kept.map(({ id: own, totalBytes }) => [own, totalBytes])).toEqual([
      ["disk:mine", 9000],
      ["disk:mine (2)", 7000],
    ]);
    const [opened] = await shelf.shelfFiles("disk:mine");
    expect(Buffer.compare(await bytesOf(opened!.bytes), first)).toBe(0);
  });

  it("keeps nothing of files that do not fit, and sweeps what a crash left without a record", async () => {
    const options = { quota: 5000 };
    const store = openFileStore(fakeOpfs(options).door);
    const shelf = openShelf(hub, { store });
    const files = [{ name: "m.gguf", bytes: new Blob([noise(9000)]) }];
    expect(await failureOf(() => shelf.keepModel({ label: "mine", files }))).toMatchObject({ code: "STO-1" });
    expect((await (await store).sizes()).size).toBe(0);
    await (await store).append("models/left/files/m", noise(5), 0);
    expect((await shelf.listShelf(null)).models).toEqual([]);
    expect((await (await store).sizes()).size).toBe(0);
  });

  it("asks for a download once, however often it is asked for", async () => {
    const shelf = openShelf(hub);
    await Promise.all([shelf.downloadModel({ id }), shelf.downloadModel({ id })]);
    expect(asked(weights)).toHaveLength(4);
  });

  it("refuses ids and addresses that are none", async () => {
    const shelf = openShelf(hub);
    for (const wrong of ["story", "hub:", "hub:a/b@main#../x", "hub:a/b/c@main"])
      expect(await failureOf(() => shelf.downloadModel({ id: wrong }))).toMatchObject({
        code: "CFG-1",
      });
    for (const hubUrl of ["ftp://x", "huggingface.co", "https://me:pass@x"])
      expect(await failureOf(() => shelf.setHub({ hubUrl, token: null }))).toMatchObject({
        code: "CFG-1",
      });
    expect(await failureOf(() => shelf.shelfFiles("hub:no/thing@main"))).toMatchObject({ code: "CFG-1" });
  });
});

describe("a token", () => {
  it("goes to the Hub alone, and is in no message, event or file", async () => {
    hub.repositories.set(repo, modelRepository(rows, {}, { isGated: true, isPrivate: true }));
    const store = memoryStore();
    const shelf = openShelf(hub, { store: Promise.resolve(store) });
    expect(await failureOf(() => shelf.downloadModel({ id }))).toMatchObject({ code: "NET-1" });
    void shelf.setHub({ hubUrl: `${hub.url}/`, token: ` ${hubToken} ` });
    fail({ path: weights, kind: "status", status: 404, after: 2, times: 1 });
    const failure = await failureOf(() => shelf.downloadModel({ id }));
    await shelf.downloadModel({ id });
    expect(await shelf.shelfFiles(id)).toHaveLength(4);
    expect(new Set(hub.requests.slice(1).map(({ authorization }) => authorization))).toEqual(
      new Set([`Bearer ${hubToken}`]),
    );
    const kept = await Promise.all(
      (await store.list()).map(async (name) => Buffer.from((await store.read(name))!).toString()),
    );
    expect(JSON.stringify([failure, shelf.events, kept, await shelf.listShelf(null)])).not.toContain("hf_");
  });

  it("of another form is refused, and the one before stays", async () => {
    const shelf = openShelf(hub);
    const failure = await failureOf(() => shelf.setHub({ hubUrl: hub.url, token: "secret" }));
    expect(failure.message).not.toContain("secret");
  });
});

describe("an upload", () => {
  const files = [
    { name: "README.md", bytes: new TextEncoder().encode("# Mine") },
    { name: "adapter_model.safetensors", bytes: new Blob([noise(5000)]) },
  ];

  it("makes the repository, brings small and large files, and answers with the address", async () => {
    const shelf = openShelf(hub);
    expect(
      await failureOf(() => shelf.uploadFiles(files, { repo: "me/mine", isPrivate: true })),
    ).toMatchObject({
      code: "CFG-1",
    });
    void shelf.setHub({ hubUrl: hub.url, token: hubToken });
    const target = { repo: "me/mine", isPrivate: true };
    expect(await shelf.uploadFiles(files, target)).toBe(`${hub.url}/me/mine`);
    const there = hub.repositories.get("me/mine")!;
    expect(there.isPrivate).toBe(true);
    expect([...there.files.keys()].toSorted()).toEqual(["README.md", "adapter_model.safetensors"]);
    expect(Buffer.compare(there.files.get("adapter_model.safetensors")!, noise(5000))).toBe(0);
    // A repository that is there is written to.
    expect(await shelf.uploadFiles(files.slice(0, 1), target)).toBe(`${hub.url}/me/mine`);
  });

  it("with a token that may not write says so", async () => {
    const shelf = openShelf(hub);
    void shelf.setHub({ hubUrl: hub.url, token: "hf_other" });
    const failure = await failureOf(() => shelf.uploadFiles(files, { repo: "me/mine", isPrivate: false }));
    expect(failure).toMatchObject({ code: "NET-1" });
    expect(failure.message).toMatch(/\(401\)\. It does not know the token/);
  });
});
