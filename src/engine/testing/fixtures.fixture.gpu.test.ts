import { expect, it } from "vitest";
import { hasFixtures, readFixture, readFixtureText } from "./fixtures.ts";

it.skipIf(!hasFixtures)("reads text and bytes of one file and nothing of a missing one", async () => {
  const text = await readFixtureText("data/format-fixtures/sft_text.jsonl");
  const bytes = await readFixture("data/format-fixtures/sft_text.jsonl");
  expect(text).toBe(new TextDecoder().decode(bytes ?? new Uint8Array()));
  expect(bytes?.length).toBeGreaterThan(0);
  expect(await readFixture("missing.bin")).toBeNull();
  expect(await readFixture("missing.json")).toBeNull();
});
