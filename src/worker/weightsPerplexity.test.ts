import { beforeEach, describe, expect, it } from "vitest";
import type { TokenPair } from "../engine/data/tokenPair.ts";
import { loadModel, type LoadedModel } from "../engine/models/loadModel.ts";
import type { Device } from "../engine/tensor/device.ts";
import { memory } from "../engine/tensor/run.ts";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { tinyPairs } from "../engine/testing/tinyModel.ts";
import { perplexityOf } from "../engine/training/perplexity.ts";
import { tinyModelFiles } from "./tinyStudio.testing.ts";
import { weightsPerplexity } from "./weightsPerplexity.ts";

const files = tinyModelFiles();

describe("weightsPerplexity", () => {
  let device: Device;
  beforeEach(async () => {
    device = await openTestDevice("cpu");
  });
  const heldout: TokenPair[] = tinyPairs(12, { vocabularySize: 30 });
  const never = () => {
    throw new Error("it was replaced");
  };

  it("compares four bits with the file's own weights beside them", async () => {
    const exact = await loadModel(files);
    const expected = await perplexityOf(exact.model, heldout);
    exact.dispose();
    const loaded = await loadModel(files, { weights: "q4" });
    const before = memory().numTensors;
    const found = await weightsPerplexity({ device, loaded, files, weights: "q4", heldout, replace: never });
    expect(memory().numTensors).toBe(before);
    expect(found).toEqual({ loaded: await perplexityOf(loaded.model, heldout), kept: expected });
    expect(Math.abs(found.loaded - found.kept)).toBeGreaterThan(0.01);
    loaded.dispose();
  });

  it("loads nothing where nothing was rounded", async () => {
    const loaded = await loadModel(files);
    const found = await weightsPerplexity({
      device,
      loaded,
      files: [],
      weights: "keep",
      heldout,
      replace: never,
    });
    expect(found.kept).toBe(found.loaded);
    loaded.dispose();
  });

  const fullOf = () => {
    const scopes: Error[] = [];
    const gpuDevice = {
      pushErrorScope: () => undefined,
      popErrorScope: () => Promise.resolve(scopes.pop() ?? null),
      createBuffer: () => {
        scopes.push(new Error("no room"));
        return { destroy: () => undefined };
      },
    };
    const report = { ...device.report, limits: { maxBufferSize: 1e9 } };
    return { ...device, gpuDevice, report } as unknown as Device;
  };

  it("says that nothing is loaded any more where the model cannot be loaded again", async () => {
    const empty = memory().numTensors;
    const loaded = await loadModel(files, { weights: "q8" });
    const replaced: (LoadedModel | null)[] = [];
    // Gone from the disk once the first look at it was taken.
    let looks = 0;
    const going = files.map((file) =>
      file.name !== "model.safetensors"
        ? file
        : {
            name: file.name,
            get bytes() {
              looks += 1;
              return looks > 1 ? new Uint8Array(0) : file.bytes;
            },
          },
    );
    const measured = weightsPerplexity({
      device: fullOf(),
      loaded,
      files: going,
      weights: "q8",
      heldout,
      replace: async (again) => void replaced.push(again),
    });
    await expect(measured).rejects.toThrow("Open it again.");
    expect(replaced).toEqual([null]);
    expect(memory().numTensors).toBe(empty);
  });

  it("takes the model's place where the device has no room for two, and gives it back", async () => {
    let loaded: LoadedModel = await loadModel(files, { weights: "q8" });
    const before = memory().numTensors;
    const replace = async (again: LoadedModel | null) => {
      loaded = again!;
    };
    const found = await weightsPerplexity({
      device: fullOf(),
      loaded,
      files,
      weights: "q8",
      heldout,
      replace,
    });
    expect(memory().numTensors).toBe(before);
    expect(await perplexityOf(loaded.model, heldout)).toBe(found.loaded);
    expect(found.kept).not.toBe(found.loaded);
    loaded.dispose();
  });
});
