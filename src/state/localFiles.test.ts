import { expect, it } from "vitest";
import { kindOfFiles } from "./localFiles.ts";

it("knows preference data in every container, alone and together", () => {
  for (const name of [
    "a.jsonl",
    "A.JSON",
    "a.csv",
    "a.tsv",
    "a.parquet",
    "a.ndjson",
    "a.jsonl.gz",
    "a.csv.gz",
  ])
    expect(kindOfFiles([name])).toBe("data");
  expect(kindOfFiles(["train.parquet", "test.parquet"])).toBe("data");
  expect(kindOfFiles(["train.jsonl", "photo.png"])).toBe("unknown");
});
