import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const path = `${process.env["FIXTURES_DIR"] ?? "../shared/fixtures"}/models/stories260K/hf/model.safetensors`;
const isThere = existsSync(path);
if (!isThere) console.warn(`skipped: there is no fixture at ${path}`);

describe.skipIf(!isThere)("safetensors of stories260K", () => {
  it("reads the 47 tensors and writes the same bytes", () => {
    const bytes = new Uint8Array(readFileSync(path));
    const tensors = readSafetensors(bytes, "model.safetensors");
    expect(tensors.size).toBe(47);
    expect(tensors.get("model.layers.4.mlp.down_proj.weight")?.shape).toEqual([64, 172]);
    const count = [...tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
    expect(count).toBe(260_032);
    expect(readSafetensors(writeSafetensors(tensors), "copy.safetensors")).toEqual(tensors);
    expect(Buffer.compare(writeSafetensors(tensors), bytes)).toBe(0);
  });
});
