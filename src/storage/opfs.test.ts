/** One set of rules for every place where files are kept, and what happens when writing fails half-way. */
import { describe, expect, it } from "vitest";
import { fullness, namePart, StorageError, type FileStore } from "./fileStore.ts";
import { memoryStore } from "./memoryStore.ts";
import { openFileStore } from "./opfs.ts";
import { fakeOpfs } from "./opfs.testing.ts";

const name = "reference/story--pairs--";
const old = Uint8Array.of(1, 2, 3);
const next = Uint8Array.of(4, 5, 6, 7);

const worker = { hasSyncFiles: true, hasMove: true };

const stores: readonly [string, () => Promise<FileStore>][] = [
  ["memory", () => Promise.resolve(memoryStore())],
  ["streams", () => openFileStore(fakeOpfs({}).door)],
  ["streams that are moved", () => openFileStore(fakeOpfs({ hasMove: true, movesOver: true }).door)],
  ["files of a worker", () => openFileStore(fakeOpfs({ ...worker, movesOver: true }).door)],
  ["files that cannot be moved over another", () => openFileStore(fakeOpfs(worker).door)],
];

const bytesOf = async (blob: Blob | null) => blob && [...new Uint8Array(await blob.arrayBuffer())];

describe.each(stores)("%s", (_, open) => {
  it("keep, replace, list and remove whole files", async () => {
    const store = await open();
    expect(await store.read(name)).toBeNull();
    expect(await store.list()).toEqual([]);
    await store.write(name, old);
    expect(await store.read(name)).toEqual(old);
    await store.write(name, next);
    await store.write("other", old);
    expect(await store.read(name)).toEqual(next);
    expect(await store.list()).toEqual(["other", name]);
    await store.remove(name);
    await store.remove(name);
    await store.remove("no folder/no file");
    expect(await store.read(name)).toBeNull();
    expect(await store.list()).toEqual(["other"]);
  });

  it("take a large file piece by piece, which is there under its name when it is finished", async () => {
    const store = await open();
    await store.write(name, old);
    expect(await store.openUnfinished(name)).toBeNull();
    await store.append(name, Uint8Array.of(7, 7, 7, 7), 0);
    // Starting again cuts off what was there, going on keeps it, and going back cuts off what lies behind.
    await store.append(name, Uint8Array.of(1, 2), 0);
    await store.append(name, Uint8Array.of(3, 9, 9), 2);
    await store.append(name, Uint8Array.of(4), 3);
    expect(await bytesOf(await store.openUnfinished(name))).toEqual([1, 2, 3, 4]);
    expect(await store.read(name)).toEqual(old);
    expect(await store.list()).toEqual([name]);
    expect(await store.sizes()).toEqual(new Map([[name, 7]]));
    await expect(store.append(name, old, 5)).rejects.toThrow(RangeError);
    await store.finish(name);
    expect(await store.openUnfinished(name)).toBeNull();
    expect(await bytesOf(await store.openBlob(name))).toEqual([1, 2, 3, 4]);
    expect(await store.sizes()).toEqual(new Map([[name, 4]]));
  });

  it("remove what is not finished, and folders with all that is in them", async () => {
    const store = await open();
    await store.append("a/b/c", old, 0);
    await store.remove("a/b/c");
    expect(await store.openUnfinished("a/b/c")).toBeNull();
    await store.append("a/b/c", old, 0);
    await store.write("a/b/d", old);
    await store.write("ab", old);
    await store.removeFolder("a");
    await store.removeFolder("a");
    expect(await store.sizes()).toEqual(new Map([["ab", 3]]));
    expect(await store.openBlob("a/b/d")).toBeNull();
  });

  it("give bytes that are nobody else's", async () => {
    const store = await open();
    const mine = old.slice();
    await store.write(name, mine);
    mine.fill(9);
    (await store.read(name))?.fill(8);
    expect(await store.read(name)).toEqual(old);
  });
});

describe.each([
  ["as a stream", {}],
  ["as a stream that is moved", { hasMove: true }],
  ["in a worker", worker],
])("a write that fails %s", (_, abilities) => {
  it("leaves the old file whole when it is cut short", async () => {
    const options = { ...abilities, fault: null as "cut" | null };
    const { door, files } = fakeOpfs(options);
    const store = await openFileStore(door);
    await store.write(name, old);
    options.fault = "cut";
    await expect(store.write(name, next)).rejects.toThrow(StorageError);
    expect(await store.read(name)).toEqual(old);
    // A browser that dies leaves the half behind; it is no file, and the next write takes its place.
    files.set(`${name}.unfinished`, Uint8Array.of(9));
    expect(await store.list()).toEqual([name]);
    await store.write(name, next);
    expect(await store.read(name)).toEqual(next);
    expect([...files.keys()]).toEqual([name]);
  });

  it("says how full the storage is", async () => {
    const options = { ...abilities, quota: 5 };
    const store = await openFileStore(fakeOpfs(options).door);
    await store.write(name, old);
    await expect(store.write("other", next)).rejects.toMatchObject({
      name: "StorageError",
      isFull: true,
      message: "Browser storage is full (1.9 of 2.0 GB).",
    });
    expect(await store.read(name)).toEqual(old);
    expect(await store.read("other")).toBeNull();
  });

  it("says how full it is when a piece of a large file does not fit, and keeps the pieces before", async () => {
    const options = { ...abilities, quota: 5 };
    const store = await openFileStore(fakeOpfs(options).door);
    await store.append(name, old, 0);
    await expect(store.append(name, old, 3)).rejects.toMatchObject({ isFull: true });
    expect(await bytesOf(await store.openUnfinished(name))).toEqual([...old]);
  });

  it("says why the browser refused", async () => {
    const options = { ...abilities, fault: "refuse" as const };
    const store = await openFileStore(fakeOpfs(options).door);
    await expect(store.write("x", old)).rejects.toMatchObject({
      isFull: false,
      message: 'The browser refused its storage for "x": another tab has it open',
    });
  });
});

it("keeps files in memory where there is no private file system, and says that they do not last", async () => {
  const shut = { getDirectory: () => Promise.reject(new Error("SecurityError")) };
  for (const door of [{}, shut]) expect((await openFileStore(door)).isLasting).toBe(false);
  expect((await openFileStore(fakeOpfs({}).door)).isLasting).toBe(true);
});

it("does not call a storage full by numbers that say it is not", async () => {
  const { door } = fakeOpfs({ quota: 2 });
  const said = async (estimate: { usage?: number; quota?: number }) => {
    const store = await openFileStore({ ...door, estimate: async () => estimate });
    return store.write("other", next).catch((error: StorageError) => error.message);
  };
  expect(await said({ usage: 1e8, quota: 10.7e9 })).toBe(
    "Browser storage is full. The browser takes no more, though it counts 0.1 of 10.7 GB: the disk may be full.",
  );
  expect(await said({})).toBe("Browser storage is full.");
});

it("says how full it is in the unit of the whole", () => {
  expect(fullness({ usedBytes: 1.94e9, quotaBytes: 2e9 })).toBe("1.9 of 2.0 GB");
  expect(fullness({ usedBytes: 3.26e6, quotaBytes: 5e6 })).toBe("3.3 of 5.0 MB");
  expect(fullness({ usedBytes: 1, quotaBytes: null })).toBe("");
});

it("makes parts of names that no two texts share and no file system refuses", () => {
  const texts = ["story", "", ".", "..", "a/b", "a%2Fb", "a\\b", "kind endings", "日本", "x*?\"<>|'()~!"];
  const parts = texts.map(namePart);
  expect(new Set(parts).size).toBe(texts.length);
  for (const part of parts) expect(part).toMatch(/^[\w%-]*$/);
  expect(namePart("kind-endings")).toBe("kind-endings");
});
