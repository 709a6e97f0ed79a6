/** Models whose matrices lie otherwise on the device than in their file, through the session. */
import { describe, expect, it } from "vitest";
import { modelPrints } from "./referenceIdentity.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

const files = tinyModelFiles();

describe("identity of a model", () => {
  it("is the same from memory and from a disk, and another for other weights, files and layouts", async () => {
    const own = await modelPrints(files, "keep");
    const onDisk = files.map(({ name, bytes }) => ({
      name,
      bytes: new Blob([bytes as Uint8Array<ArrayBuffer>]),
    }));
    expect(await modelPrints(onDisk, "keep")).toEqual(own);
    const others = [
      await modelPrints(files, "q4"),
      await modelPrints(tinyModelFiles(2), "keep"),
      await modelPrints([...files.slice(0, -1), { name: "tiny.gguf", bytes: files.at(-1)!.bytes }], "keep"),
    ];
    expect(new Set([own, ...others].map(({ weights }) => weights)).size).toBe(4);
    for (const { tokenizer, template } of others)
      expect({ tokenizer, template }).toEqual({ tokenizer: own.tokenizer, template: own.template });
  });
});

describe("a session", () => {
  it("loads weights in four bits, says what that changed, and trains adapters on them alone", async () => {
    const { session, events } = openStudio();
    await session.open({ backend: "cpu", isSecure: true, injections: [] });
    const summary = await session.loadModel({ id: "local", files, weights: "q4" });
    expect(Object.keys(summary.weights.bytesByLayout)).toEqual(expect.arrayContaining(["f32", "q4m"]));
    expect(summary.sizeBytes).toBeLessThan(2 * summary.parameters);
    expect(summary.weights.rounding.map(({ layer }) => layer)).toEqual([-1, 0, 1]);
    for (const { relativeRms } of summary.weights.rounding) {
      // A 16th of the range of 16 normal values, over √12, is about 0.06 of their spread.
      expect(relativeRms).toBeGreaterThan(0.02);
      expect(relativeRms).toBeLessThan(0.12);
    }
    const loading = events.filter((event) => event.type === "loading");
    const weights = files.at(-1)!.bytes.length;
    expect(loading.at(-1)?.doneBytes).toBe(loading.at(-1)?.totalBytes);
    expect(loading.at(-1)?.totalBytes).toBeLessThan(weights);
    const data = { id: "local", objective: "", files: [tinyDataFile()], maxTokens: 32, terminator: "auto" as const, layout: "", columns: {}, steps: [] }; // prettier-ignore
    await session.loadData(data);
    const problems = async (tuning: "lora" | "full") =>
      (await session.preflight({ config: { ...tinyRunConfig, tuning } })).problems.map(({ field }) => field);
    expect(await problems("lora")).toEqual([]);
    expect(await problems("full")).toEqual(["tuning"]);
  });
});
