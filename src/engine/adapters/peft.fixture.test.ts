import { describe, expect, it } from "vitest";
import { hasFixtures, readFixture } from "../testing/fixtures.ts";
import { readPeftAdapter, readPeftArrays, writePeftAdapter } from "./peft.ts";

describe.skipIf(!hasFixtures)("the starting adapter of the reference trajectories", () => {
  it("has both factors of seven modules in five layers, with B at zero", async () => {
    const bytes = (await readFixture("trajectories/adapter_init.safetensors")) ?? new Uint8Array();
    const arrays = readPeftArrays(bytes, "adapter_init.safetensors");
    expect(arrays.size).toBe(2 * 7 * 5);
    expect(arrays.get("model.layers.4.mlp.down_proj.lora_A.weight")?.shape).toEqual([8, 172]);
    for (const [name, { values }] of arrays)
      expect(values.every((value) => value === 0)).toBe(name.endsWith("lora_B.weight"));
    const [weights, config] = writePeftAdapter(arrays, { rank: 8, alpha: 16, baseModel: "stories260K" });
    const read = readPeftAdapter({
      weights: weights?.bytes ?? new Uint8Array(),
      config: config?.bytes ?? new Uint8Array(),
    });
    expect(read.arrays).toEqual(arrays);
    expect(read.targetModules).toHaveLength(7);
    expect(read.scale).toBe(2);
  });
});
