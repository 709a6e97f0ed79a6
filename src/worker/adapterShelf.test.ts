import { beforeEach, describe, expect, it } from "vitest";
import { writePeftAdapter } from "../engine/adapters/peft.ts";
import { createRandom } from "../engine/data/random.ts";
import { wholeFile } from "../engine/export/safetensorsFolder.ts";
import { zipChunks } from "../engine/export/zipFiles.ts";
import type { NamedArray } from "../engine/files/safetensors.ts";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { createTinyModel, tinyConfig } from "../engine/testing/tinyModel.ts";
import { referenceLogits, worstOf } from "../engine/training/standing.testing.ts";
import { follow, tinyRun } from "../engine/training/tinyRun.testing.ts";
import { memoryStore } from "../storage/memoryStore.ts";
import { createAdapterShelf, type GivenFile } from "./adapterShelf.ts";

const sizes: Record<string, [number, number]> = { "self_attn.q_proj": [16, 16], "mlp.down_proj": [24, 16] };

/** A random adapter of alpha 4 on two linears of each layer, as PEFT's two files. */
function adapterFiles({ rank = 2, seed = 1, layers = 2, folder = "" } = {}): GivenFile[] {
  const random = createRandom(seed);
  const drawn = (shape: number[]): NamedArray => ({
    shape,
    values: Float32Array.from({ length: shape[0]! * shape[1]! }, () => 0.3 * random.gaussian()),
  });
  const arrays = new Map<string, NamedArray>();
  for (let layer = 0; layer < layers; layer++) {
    for (const [module, [inputs, outputs]] of Object.entries(sizes)) {
      arrays.set(`model.layers.${layer}.${module}.lora_A.weight`, drawn([rank, inputs]));
      arrays.set(`model.layers.${layer}.${module}.lora_B.weight`, drawn([outputs, rank]));
    }
  }
  return writePeftAdapter(arrays, { rank, alpha: 4, baseModel: "someone/tiny" }).map(({ name, bytes }) => ({
    name: `${folder}${name}`,
    bytes,
  }));
}

let time = 0;
const store = { current: memoryStore() };
const openShelf = () =>
  createAdapterShelf({ store: () => Promise.resolve(store.current), now: () => ++time });

beforeEach(async () => {
  store.current = memoryStore();
  time = 0;
  await openTestDevice("cpu");
});

describe("the shelf of adapters", () => {
  it("keeps what it is given from one visit to the next, the newest first", async () => {
    const shelf = openShelf();
    const first = await shelf.keep(adapterFiles({ folder: "kind/" }), { origin: "imported" }, tinyConfig);
    expect(first).toMatchObject({
      label: "kind",
      rank: 2,
      alpha: 4,
      targets: ["down_proj", "q_proj"],
      layers: 2,
      baseModel: "someone/tiny",
      origin: "imported",
      addedAt: 1,
      problem: null,
    });
    const about = { origin: "run", label: "my run" } as const;
    const second = await shelf.keep(adapterFiles({ seed: 2 }), about, tinyConfig);
    expect(await openShelf().list(tinyConfig)).toEqual([second, first]);
    await shelf.remove(first.id);
    expect(await openShelf().list(null)).toEqual([second]);
    await expect(shelf.remove(first.id)).rejects.toThrow(`There is no adapter "${first.id}"`);
    await shelf.remove(second.id);
    expect(await store.current.list()).toEqual([]);
  });

  it("takes the archive that an export is", async () => {
    const files = adapterFiles().map(({ name, bytes }) => wholeFile(`tuned/${name}`, bytes as Uint8Array));
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of zipChunks([...files, wholeFile("README.md", new Uint8Array(9))])) {
      pieces.push(chunk.slice());
    }
    const archive = { name: "adapter.zip", bytes: new Blob(pieces) };
    const shelf = openShelf();
    const { id } = await shelf.keep([archive], { origin: "imported", label: "zipped" }, tinyConfig);
    expect((await shelf.keep(adapterFiles(), { origin: "imported" }, tinyConfig)).id).toBe(id);
    const other = { ...archive, bytes: new Blob(pieces.slice(0, 1)) };
    await expect(shelf.keep([other], { origin: "imported" }, tinyConfig)).rejects.toThrow("adapter.zip");
  });

  it("has one of each content, with the last label", async () => {
    const shelf = openShelf();
    await shelf.keep(adapterFiles(), { origin: "imported", label: "once" }, null);
    await shelf.keep(adapterFiles(), { origin: "imported", label: "twice" }, null);
    expect((await shelf.list(null)).map(({ label }) => label)).toEqual(["twice"]);
  });

  it("says why one does not fit the loaded model", async () => {
    const shelf = openShelf();
    const { problem } = await shelf.keep(adapterFiles({ layers: 3 }), { origin: "imported" }, tinyConfig);
    expect(problem).toContain("no linear of this model's 2 layers");
    expect((await shelf.list({ ...tinyConfig, layers: 3 }))[0]?.problem).toBeNull();
  });

  it("refuses what is no adapter, and keeps nothing of it", async () => {
    const shelf = openShelf();
    const [weights, config] = adapterFiles();
    const keep = (files: GivenFile[]) => shelf.keep(files, { origin: "imported" }, tinyConfig);
    await expect(keep([weights!])).rejects.toThrow('"adapter_config.json" is not among the chosen files');
    await expect(keep([{ ...weights!, name: "adapter_model.bin" }, config!])).rejects.toThrow("can run code");
    await expect(keep([weights!, weights!, config!])).rejects.toThrow("was given twice");
    await expect(keep([{ ...weights!, bytes: new Uint8Array(4) }, config!])).rejects.toThrow("too few");
    expect(await store.current.list()).toEqual([]);
  });

  it("leaves nothing of one that the storage does not take, and what was there before", async () => {
    const { write } = store.current;
    const failing = (name: string) =>
      (store.current = {
        ...store.current,
        write: (path, bytes) =>
          path.endsWith(name) ? Promise.reject(new Error("full")) : write(path, bytes),
      });
    failing("about.json");
    const keep = () => openShelf().keep(adapterFiles(), { origin: "imported" }, null);
    await expect(keep()).rejects.toThrow("full");
    expect((await store.current.sizes()).size).toBe(0);
    failing("nothing");
    const { id } = await keep();
    failing("adapter_config.json");
    await expect(keep()).rejects.toThrow("full");
    expect(await openShelf().list(null)).toMatchObject([{ id, problem: null }]);
  });

  it("does not list a half, and tells what is damaged", async () => {
    const { id } = await openShelf().keep(adapterFiles(), { origin: "imported" }, null);
    const folder = id.replace("adapter:", "adapters/");
    await store.current.remove(`${folder}/adapter_config.json`);
    expect((await openShelf().list(null))[0]?.problem).toContain("One of its two files is missing");
    await store.current.remove(`${folder}/about.json`);
    expect(await openShelf().list(null)).toEqual([]);
  });
});

describe("adapters from the shelf on a model", () => {
  it("stand with their scales, are exchanged without a trace, and a run goes on with them", async () => {
    const shelf = openShelf();
    const { model } = createTinyModel();
    const bare = await referenceLogits(model);
    const [first, second] = [
      await shelf.keep(adapterFiles(), { origin: "imported", label: "first" }, tinyConfig),
      await shelf.keep(
        adapterFiles({ rank: 3, seed: 2 }),
        { origin: "imported", label: "second" },
        tinyConfig,
      ),
    ];
    const chosen = [
      { id: first.id, scale: 1 },
      { id: second.id, scale: 0.5 },
    ];
    const { stood, answer } = await shelf.stand(model, chosen);
    expect(answer).toEqual({
      adapters: [
        { id: first.id, label: "first", scale: 1 },
        { id: second.id, label: "second", scale: 0.5 },
      ],
      rank: 5,
    });
    const both = await referenceLogits(stood.model);
    expect(worstOf(both, bare)).toBeGreaterThan(0.1);
    const one = await shelf.stand(stood.model, chosen.slice(0, 1));
    const alone = await referenceLogits(one.stood.model);
    expect(worstOf(alone, both)).toBeGreaterThan(0.05);
    const none = await shelf.stand(one.stood.model, []);
    expect(none.answer).toEqual({ adapters: [], rank: 0 });
    expect(await referenceLogits(none.stood.model)).toEqual(bare);

    const { steps } = await follow(tinyRun(stood.model, { loraRank: 5, loraAlpha: 3, steps: 1 }));
    expect(steps[0]?.["loss"]).toBeCloseTo(Math.LN2, 12);
    expect(steps[0]?.["rewards/margins"]).toBe(0);
    stood.dispose();
    one.stood.dispose();
  });

  it("are refused where they are not there, twice, too many or of another model", async () => {
    const shelf = openShelf();
    const { model } = createTinyModel();
    const keep = (options: Parameters<typeof adapterFiles>[0], label: string) =>
      shelf.keep(adapterFiles(options), { origin: "imported", label }, tinyConfig);
    const stand = (...ids: string[]) =>
      shelf.stand(
        model,
        ids.map((id) => ({ id, scale: 1 })),
      );
    await expect(stand("adapter:00")).rejects.toThrow('no adapter "adapter:00"');
    const small = await keep({}, "small");
    await expect(stand(small.id, small.id)).rejects.toThrow("chosen twice");
    const large = await keep({ rank: 127 }, "large");
    await expect(stand(small.id, large.id)).rejects.toThrow(
      "add up to 129; a run that goes on with them has at most 128",
    );
    const other = await keep({ layers: 3 }, "other");
    await expect(stand(other.id)).rejects.toThrow('The adapter "other" does not fit the loaded model');
  });
});
