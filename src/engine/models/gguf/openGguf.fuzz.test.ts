import { expect, it } from "vitest";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { smallFile } from "../../files/gguf/ggufFile.testing.ts";
import { readGgufHeader } from "../../files/gguf/header.ts";
import { mutants, watchAllocations } from "../../testing/mutations.ts";
import { TokenizerError } from "../../tokenizer/tokenizerError.ts";
import { writeGolden } from "./ggufModel.testing.ts";
import { openGguf } from "./openGguf.ts";

const MUTANTS = 10_000;
/** A byte of Q8_0 becomes four, and a text in UTF-8 two bytes a letter; beside that there are tables of a fixed size. */
const LARGEST_FACTOR = 8;
const FIXED_BYTES = 1 << 17;

const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

async function readHeader(bytes: Uint8Array): Promise<void> {
  const { tensors } = await readGgufHeader(bytes, "file");
  for (const { name } of tensors) expect(name.length).toBeGreaterThan(0);
}

async function readModel(bytes: Uint8Array): Promise<void> {
  const { tensors } = await openGguf(bytes, "file");
  for (const tensor of tensors.values()) expect((await tensor.values()).length).toBe(countOf(tensor.shape));
}

/** Reads damaged files, and counts those that are read and those that are refused by an error of the reader's own. */
async function damage(
  good: Uint8Array,
  readAll: (bytes: Uint8Array) => Promise<void>,
  count: number,
): Promise<{ read: number; refused: number }> {
  const outcomes = { read: 0, refused: 0 };
  for (const bytes of mutants([good], { count, seed: 4 })) {
    const { result, largest } = await watchAllocations(() =>
      readAll(bytes).then(
        () => null,
        (error: unknown) => error,
      ),
    );
    if (result !== null && !(result instanceof FileFormatError) && !(result instanceof TokenizerError))
      throw result;
    outcomes[result === null ? "read" : "refused"] += 1;
    expect(largest).toBeLessThanOrEqual(LARGEST_FACTOR * bytes.length + FIXED_BYTES);
  }
  return outcomes;
}

it(`reads or refuses the header of ${MUTANTS} damaged files`, { timeout: 120_000 }, async () => {
  const { read, refused } = await damage(await smallFile(), readHeader, MUTANTS);
  expect(read).toBeGreaterThan(MUTANTS / 50);
  expect(refused).toBeGreaterThan(MUTANTS / 4);
});

it(`reads or refuses ${MUTANTS} damaged models whole`, { timeout: 120_000 }, async () => {
  const { bytes } = await writeGolden("llama-llama3");
  // Most of a model is values, which may be any: the damage is done to what says what they are.
  const { read, refused } = await damage(bytes.subarray(0, bytes.length), readModel, MUTANTS);
  expect(read + refused).toBe(MUTANTS);
  expect(refused).toBeGreaterThan(MUTANTS / 10);
});
