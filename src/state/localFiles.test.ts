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

it("takes a zip for a model, and for data where data was asked for", () => {
  expect(kindOfFiles(["a.zip"])).toBe("model");
  expect(kindOfFiles(["a.zip"], "data")).toBe("data");
  expect(kindOfFiles(["a.zip", "b.csv"], "data")).toBe("data");
  expect(kindOfFiles(["config.json", "model.safetensors"], "data")).toBe("model");
});
