import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, it } from "vitest";
import { mutants, watchAllocations } from "../../testing/mutations.ts";
import { DatasetError } from "../datasetError.ts";
import { openDataFile } from "./index.ts";

const MUTANTS = 10_000;
/** Snappy and dictionaries make far more of a page than it has bytes; what is told apart are rows. */
const LARGEST_FACTOR = 512;
const FIXED_BYTES = 1 << 20;

const rows = Array.from({ length: 12 }, (_, index) => index);
const good = [
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "prompt", data: rows.map((index) => `ask ${index}`) },
        { name: "label", data: rows.map((index) => index % 2 === 0) },
        { name: "score", data: rows.map((index) => index / 4) },
      ],
    }),
  ),
];

async function readAll(bytes: Uint8Array): Promise<number> {
  let count = 0;
  const { entries } = await openDataFile({ name: "rows.parquet", bytes });
  for await (const some of entries) count += some.length;
  return count;
}

it(`reads or refuses ${MUTANTS} damaged files`, { timeout: 120_000 }, async () => {
  const outcomes = { read: 0, refused: 0 };
  for (const bytes of mutants(good, { count: MUTANTS, seed: 5 })) {
    const { result, largest } = await watchAllocations(() =>
      readAll(bytes).then(
        (count) => count,
        (error: unknown) => error,
      ),
    );
    if (typeof result !== "number" && !(result instanceof DatasetError)) throw result;
    outcomes[typeof result === "number" ? "read" : "refused"] += 1;
    expect(largest).toBeLessThanOrEqual(LARGEST_FACTOR * bytes.length + FIXED_BYTES);
  }
  expect(outcomes.read).toBeGreaterThan(MUTANTS / 50);
  expect(outcomes.refused).toBeGreaterThan(MUTANTS / 4);
});
