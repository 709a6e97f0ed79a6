import { describe, expect, it } from "vitest";
import { hasFixtures, readFixture } from "../testing/fixtures.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

describe.skipIf(!hasFixtures)("safetensors of stories260K", () => {
  it("reads the 47 tensors and writes the same bytes", async () => {
    const bytes = (await readFixture("models/stories260K/hf/model.safetensors")) ?? new Uint8Array();
    const tensors = readSafetensors(bytes, "model.safetensors");
    expect(tensors.size).toBe(47);
    expect(tensors.get("model.layers.4.mlp.down_proj.weight")?.shape).toEqual([64, 172]);
    const count = [...tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
    expect(count).toBe(260_032);
    expect(Buffer.compare(writeSafetensors(tensors), bytes)).toBe(0);
  });
});
