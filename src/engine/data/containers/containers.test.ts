import { gzipSync, strToU8, zipSync } from "fflate";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import type { Entry, RowRange } from "./dataFile.ts";
import { openDataFile } from "./index.ts";

async function read(name: string, bytes: string | Uint8Array | Blob, range: RowRange | null = null) {
  const file = { name, bytes: typeof bytes === "string" ? strToU8(bytes) : bytes };
  const { entries } = await openDataFile(file, { range });
  const all: Entry[] = [];
  for await (const some of entries) all.push(...some);
  return all;
}

async function values(...what: Parameters<typeof read>) {
  return (await read(...what)).map(({ value }) => value);
}

describe("JSON", () => {
  it("finds the same lines whatever the pieces of the file are, with a character across their seam", async () => {
    const line = JSON.stringify({ text: "ж".repeat(700_001) });
    const text = `${line}\n\n${line}\r\n${line}`;
    for (const bytes of [strToU8(text), new Blob([text])]) {
      const entries = await read("a.jsonl", bytes);
      expect(entries.map(({ row }) => row)).toEqual([1, 3, 4]);
      expect(entries.every(({ value }) => JSON.stringify(value) === line)).toBe(true);
    }
  });

  it("gives up turns on many lines, and stops where nothing more is wanted", async () => {
    const text = Array.from({ length: 2000 }, (_, index) => String(index)).join("\n");
    const { entries } = await openDataFile({ name: "a.jsonl", bytes: strToU8(text) });
    const sizes: number[] = [];
    for await (const some of entries) sizes.push(some.length);
    expect(sizes).toEqual([512, 512, 512, 464]);
    expect(await values("a.jsonl", text, { from: 1500, count: 3 })).toEqual([1500, 1501, 1502]);
  });

  it("refuses a line without end", async () => {
    const bytes = strToU8("x".repeat((1 << 24) + (1 << 21)));
    await expect(read("a.jsonl", bytes)).rejects.toThrow("line 1 is longer than 16777216 characters");
  });

  it("reads a list, or an object's one list", async () => {
    expect(await read("a.json", '[{"a":1},"b"]')).toEqual([
      { row: 1, value: { a: 1 } },
      { row: 2, value: "b" },
    ]);
    expect(await values("a.json", '{"version":"1","data":[1,2]}')).toEqual([1, 2]);
    expect(await values("a.json", "[1,2,3]", { from: 1, count: 1 })).toEqual([2]);
    for (const text of ["{", '{"a":[],"b":[]}', "7", "null", '{"a":1}'])
      await expect(read("a.json", text)).rejects.toThrow("does not hold one JSON list");
  });
});

describe("gzip", () => {
  it("unpacks as it reads", async () => {
    expect(await values("a.jsonl.gz", gzipSync(strToU8("1\n2")))).toEqual([1, 2]);
    expect(await values("a.json.gz", new Blob([gzipSync(strToU8("[1,2]"))]))).toEqual([1, 2]);
    expect(await values("a.csv.gz", gzipSync(strToU8("a,b\n1,2")))).toEqual([{ a: "1", b: "2" }]);
  });

  it("stops unpacking a file that grows without measure, and names the limit", async () => {
    const bomb = gzipSync(strToU8(`${" ".repeat(999)}\n`.repeat(20_000)));
    expect(bomb.length).toBeLessThan(60_000);
    await expect(read("a.jsonl.gz", bomb)).rejects.toThrow(
      `its ${bomb.length} bytes unpack to more than 16777216, over 200 times as much`,
    );
  });

  it.each([
    ["cut short", gzipSync(strToU8("1\n2\n".repeat(1000))).slice(0, 30)],
    ["no gzip", strToU8("1\n2")],
  ])("refuses data that are %s", async (_, bytes) => {
    await expect(read("a.jsonl.gz", bytes)).rejects.toThrow("its gzip data is damaged or ends too early");
  });
});

describe("CSV", () => {
  it.each([
    ["commas", "a.csv", 'p,q\r\n"x, ""y""\nz",2\r\n'],
    ["semicolons", "a.csv", 'p;q\n"x, ""y""\nz";2\n'],
    ["tabs", "a.tsv", 'p\tq\n"x, ""y""\nz"\t2'],
    ["a mark of the byte order and empty lines", "a.csv", '\uFEFFp,q\n\n"x, ""y""\nz",2\n\n'],
    ["old line ends", "a.csv", 'p,q\r"x, ""y""\nz",2'],
  ])("reads quotes and line breaks between %s", async (_, name, text) => {
    expect(await values(name, text)).toEqual([{ p: 'x, "y"\nz', q: "2" }]);
  });

  it("names columns that have no name or another one's", async () => {
    expect(await values("a.csv", " p ,,p,p\n1,2,3,4")).toEqual([
      { p: "1", "column 2": "2", "p 2": "3", "p 3": "4" },
    ]);
  });

  it("names ten thousand columns at once, and refuses more", async () => {
    const began = performance.now();
    const [row] = await values("a.csv", `${Array<string>(10_000).fill("p").join(",")}\n1`);
    expect(row).toEqual({ p: "1" });
    // Looking every name up among all those before takes a second for this header and hours for one of a megabyte.
    expect(performance.now() - began).toBeLessThan(500);
    await expect(values("a.csv", `${",".repeat(10_000)}\n1`)).rejects.toThrow(
      '"a.csv" cannot be read: its first record has 10001 columns, at most 10000 are read.',
    );
  });

  it("tells rows with too many fields and quotes that never end, and leaves missing fields out", async () => {
    expect(await read("a.csv", 'p,q\n1,2,3\n4\n5,"6')).toEqual([
      { row: 1, value: { p: "1", q: "2" }, flaw: "3 fields under 2 columns" },
      { row: 2, value: { p: "4" } },
      { row: 3, value: { p: "5", q: "6" }, flaw: "Quoted field unterminated" },
    ]);
  });

  it("reads a file of many pieces as it reads a short one", async () => {
    const cell = 'a "quoted" ж, and\na break';
    const line = `"${cell.replaceAll('"', '""')}",x\r\n`;
    const entries = await read("a.csv", `p,q\r\n${line.repeat(60_000)}`);
    expect(entries).toHaveLength(60_000);
    expect(
      entries.every(
        ({ row, value }, index) =>
          row === index + 1 && JSON.stringify(value) === JSON.stringify({ p: cell, q: "x" }),
      ),
    ).toBe(true);
    expect(await values("a.csv", "p\n1\n2\n3", { from: 1, count: 1 })).toEqual([{ p: "2" }]);
  });
});

/** 3000 rows in groups of 1000, with messages as lists of structs. */
function parquetFile(): Uint8Array<ArrayBuffer> {
  const rows = Array.from({ length: 3000 }, (_, index) => index);
  const messages = rows.map((index) => [
    { role: "user", content: `ask ${index}` },
    { role: "assistant", content: `answer ${index}` },
  ]);
  const written = parquetWriteBuffer({
    columnData: [
      { name: "label", data: rows.map((index) => index % 2 === 0) },
      { name: "messages", data: messages },
      { name: "id", data: rows.map(BigInt) },
    ],
    schema: [
      { name: "root", num_children: 3 },
      { name: "label", type: "BOOLEAN", repetition_type: "REQUIRED" },
      { name: "messages", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", repetition_type: "OPTIONAL", num_children: 2 },
      { name: "role", type: "BYTE_ARRAY", repetition_type: "OPTIONAL", converted_type: "UTF8" },
      { name: "content", type: "BYTE_ARRAY", repetition_type: "OPTIONAL", converted_type: "UTF8" },
      { name: "id", type: "INT64", repetition_type: "REQUIRED" },
    ],
    rowGroupSize: 1000,
  });
  return new Uint8Array(written);
}

/** A Blob that notes which bytes of it are read. */
class NotedBlob extends Blob {
  readonly ranges: [number, number][] = [];

  override slice(start = 0, end = this.size): Blob {
    this.ranges.push([start, end]);
    return super.slice(start, end);
  }
}

describe("Parquet", () => {
  it("reads nested lists of structs", async () => {
    const entries = await read("a.parquet", parquetFile());
    expect(entries).toHaveLength(3000);
    expect(entries[2001]).toEqual({
      row: 2002,
      value: {
        label: false,
        messages: [
          { role: "user", content: "ask 2001" },
          { role: "assistant", content: "answer 2001" },
        ],
        id: 2001n,
      },
    });
  });

  it("reads of the file only the groups that hold the rows that are asked for", async () => {
    const whole = parquetFile();
    const blob = new NotedBlob([whole]);
    const entries = await read("a.parquet", blob, { from: 1200, count: 5 });
    expect(entries.map(({ row }) => row)).toEqual([1201, 1202, 1203, 1204, 1205]);
    expect(entries[0]?.value).toMatchObject({ id: 1200n });
    // The directory lies at the end; of the data a third is read.
    const data = blob.ranges.filter(([start]) => start > 0 && start < whole.length * 0.9);
    const bytes = data.reduce((sum, [start, end]) => sum + Math.min(end, whole.length * 0.9) - start, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(whole.length / 2);
  });

  it.each([
    ["cut", (bytes: Uint8Array) => bytes.slice(0, bytes.length / 2)],
    ["of another kind", () => strToU8("a,b\n1,2\n3,4\n5,6")],
    ["empty", () => new Uint8Array()],
    [
      "changed in its directory",
      (bytes: Uint8Array) => bytes.map((byte, at) => (at > bytes.length - 400 ? byte ^ 0x55 : byte)),
    ],
  ])("refuses a file that is %s", async (_, change) => {
    await expect(read("a.parquet", change(parquetFile()))).rejects.toMatchObject({
      name: "DatasetError",
      code: "FIL-1",
    });
  });
});

describe("zip", () => {
  it("reads the one file of data in it", async () => {
    const archive = zipSync({
      "README.md": strToU8("x"),
      "__MACOSX/a.jsonl": strToU8("y"),
      "set/a.jsonl": strToU8("1\n2"),
    });
    expect(await values("set.zip", archive)).toEqual([1, 2]);
    expect(await values("set.zip", new Blob([archive]))).toEqual([1, 2]);
  });

  it("says what is in an archive that holds none or several", async () => {
    const several = zipSync({ "a.jsonl": strToU8("1"), "b.csv": strToU8("1") });
    await expect(read("set.zip", several)).rejects.toThrow(
      "holds 2 files of data, expected one (a.jsonl, b.csv)",
    );
    await expect(read("set.zip", zipSync({ "a.txt": strToU8("1") }))).rejects.toThrow(
      "holds 0 files of data",
    );
  });
});
