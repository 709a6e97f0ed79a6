/** Data sets of a loopback Hub, read where they lie. */
import { parquetMetadataAsync } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startHub } from "../../../e2e/hub/hubServer.ts";
import { hubToken, type LoopbackHub } from "../../../e2e/hub/loopbackHub.ts";
import { failureOf, openShelf } from "../../../e2e/hub/openShelf.ts";
import { noise, repositoryOf } from "../../../e2e/hub/repositories.ts";

const repo = "acme/pairs";
const lines = '{"prompt":"a"}\n{"prompt":"b"}\n';

/** Texts of 4000 signs that do not compress, so that a file of them is far larger than its footer. */
function parquet(rows: number): Uint8Array {
  const data = Array.from({ length: rows }, (_, row) => Buffer.from(noise(3000, row + 1)).toString("base64"));
  return new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "prompt", data, type: "STRING" }] }));
}

const train = parquet(250);
const test = parquet(3);

let hub: LoopbackHub;
beforeEach(async () => {
  const files = {
    "README.md": "# Pairs",
    "data/train-00000-of-00001.parquet": train,
    "data/test.parquet": test,
    "more.jsonl": lines,
    "rows.csv.gz": noise(50),
    "dataset_infos.json": {},
    "broken.parquet": noise(60),
    "picture.png": noise(9),
  };
  hub = await startHub({ [repo]: repositoryOf(files, { kind: "dataset", license: "mit" }) });
});
afterEach(() => hub.close());

const bytesOf = (name: string) => hub.repositories.get(repo)!.files.get(name)!.length;

it("lists files of rows with their sizes, and counts rows where the file says how many it has", async () => {
  const answer = await openShelf(hub).inspectHubData({ repo });
  const rows = { "data/train-00000-of-00001.parquet": 250, "data/test.parquet": 3 };
  expect(answer).toEqual({
    license: "mit",
    splits: [...Object.keys(rows), "more.jsonl", "rows.csv.gz", "broken.parquet"].map((name) => ({
      id: `hub:${repo}#${name}`,
      label: name,
      rows: (rows as Record<string, number>)[name] ?? null,
      bytes: bytesOf(name),
    })),
  });
});

it("counts rows from the end of the file alone", async () => {
  await openShelf(hub).inspectHubData({ repo });
  const name = "data/train-00000-of-00001.parquet";
  const asked = hub.requests
    .filter(({ path }) => path.endsWith(name))
    .map(({ range }) => /(\d+)-(\d+)/.exec(range!)!.slice(1).map(Number))
    .map(([begin, end]) => end! - begin! + 1);
  // The place, and the last half megabyte.
  expect(asked).toEqual([1, 2 ** 19]);
  expect(bytesOf(name)).toBeGreaterThan(1.5 * 2 ** 19);
});

it("opens a file where it lies, whatever number of rows is asked for", async () => {
  const { name, bytes } = await openShelf(hub).openHubData(`hub:${repo}#data/test.parquet?rows=2`);
  expect(name).toBe("data/test.parquet");
  const blob = bytes as Blob;
  const slice = (begin: number, end?: number) => blob.slice(begin, end).arrayBuffer();
  const metadata = await parquetMetadataAsync({ byteLength: blob.size, slice });
  expect(Number(metadata.num_rows)).toBe(3);
  const text = await openShelf(hub).openHubData(`hub:${repo}#more.jsonl`);
  expect(await (text.bytes as Blob).text()).toBe(lines);
});

it("says why a data set or a file of it cannot be had", async () => {
  const shelf = openShelf(hub);
  expect(await failureOf(() => shelf.inspectHubData({ repo: "acme/none" }))).toMatchObject({
    code: "NET-1",
    details: { repo: "acme/none", status: 401 },
  });
  void shelf.setHub({ hubUrl: hub.url, token: hubToken });
  expect(await failureOf(() => shelf.inspectHubData({ repo: "acme/none" }))).toMatchObject({
    message: `"acme/none" could not be found on ${new URL(hub.url).host} (404). Check the name and the revision.`,
  });
  expect(await failureOf(() => shelf.openHubData(`hub:${repo}#none.csv`))).toMatchObject({
    code: "NET-1",
    details: { file: "none.csv", status: 404 },
  });
  expect(await failureOf(() => shelf.openHubData("local"))).toMatchObject({ code: "CFG-1" });
  hub.faults.push({ path: "train-", kind: "cut", after: 1 });
  expect(await failureOf(() => shelf.inspectHubData({ repo }))).toMatchObject({ code: "NET-1" });
});
