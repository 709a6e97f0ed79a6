/** What the Hub's real client finds in the repositories of a loopback Hub. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startHub } from "../../../e2e/hub/hubServer.ts";
import { hubCommit, hubToken, type LoopbackHub } from "../../../e2e/hub/loopbackHub.ts";
import { failureOf, id, openShelf, repo, rows, weights } from "../../../e2e/hub/openShelf.ts";
import {
  llamaConfig,
  modelRepository,
  noise,
  repositoryOf,
  safetensors,
} from "../../../e2e/hub/repositories.ts";
import type { ModelOffer } from "../protocol.ts";

let hub: LoopbackHub;
beforeEach(async () => {
  hub = await startHub({ [repo]: modelRepository(rows) });
});
afterEach(() => hub.close());

const host = () => new URL(hub.url).host;
const given = (name: string) => hub.repositories.get(repo)!.files.get(name)!;
const asked = (name: string) => hub.requests.filter(({ path }) => path.endsWith(name));

describe("a repository", () => {
  const inspect = (name: string): Promise<ModelOffer> =>
    Promise.resolve(openShelf(hub).inspectHub({ repo: name, revision: "" }));

  it("is looked at by its list and its headers, without its weights", async () => {
    const offer = await inspect(` ${hub.url}/${repo}/tree/main `);
    expect(offer).toEqual({
      repo,
      revision: hubCommit,
      architecture: "llama",
      parameters: rows * 8,
      license: "apache-2.0",
      isGated: false,
      hasChatTemplate: true,
      variants: [
        {
          id,
          label: "Full weights",
          format: "safetensors",
          files: ["config.json", "tokenizer.json", "tokenizer_config.json", weights].map((name) => ({
            name,
            bytes: given(name).length,
          })),
          bytes:
            0 +
            given("config.json").length +
            given("tokenizer.json").length +
            given("tokenizer_config.json").length +
            given(weights).length,
          fit: { f32: { verdict: "fits", neededBytes: 1, availableBytes: 2 } },
          problem: null,
        },
      ],
    });
    const ranges = asked(weights).map(({ range }) => /(\d+)-(\d+)/.exec(range!)!.slice(1).map(Number));
    expect(Math.max(...ranges.map(([, end]) => end!))).toBeLessThan(200);
  });

  it("of several files of weights is one variant, with the sum of their parameters", async () => {
    const shard = (place: number) => `model-0000${place}-of-00002.safetensors`;
    const index = { weight_map: { a: shard(1), b: shard(2) } };
    const files = {
      "config.json": llamaConfig,
      "tokenizer.json": {},
      "model.safetensors.index.json": index,
      [shard(1)]: safetensors(4, "a"),
      [shard(2)]: safetensors(6, "b"),
    };
    hub.repositories.set("acme/shards", repositoryOf(files));
    const offer = await inspect("acme/shards");
    expect(offer).toMatchObject({ parameters: 80, license: null, hasChatTemplate: false });
    expect(offer.variants.map(({ files }) => files.map(({ name }) => name))).toEqual([Object.keys(files)]);
    hub.repositories.get("acme/shards")!.files.delete(shard(2));
    const [variant] = (await inspect("acme/shards")).variants;
    expect(variant?.problem).toBe("1 of 2 files of weights are there.");
  });

  it.each([
    [
      "pickles",
      { "config.json": llamaConfig, "pytorch_model.bin": noise(20) },
      /Python pickles \(pytorch_model.bin\), which can run code/,
    ],
    [
      "an adapter",
      { "adapter_model.safetensors": noise(20), "adapter_config.json": {} },
      /import them under Adapters/,
    ],
    [
      "weights for another program",
      {
        "config.json": { ...llamaConfig, quantization_config: { quant_method: "gptq", bits: 4 } },
        "tokenizer.json": {},
        [weights]: safetensors(4),
      },
      /quantised with GPTQ, which is not read here/,
    ],
    [
      "an architecture that is not built",
      {
        "config.json": { architectures: ["MambaForCausalLM"] },
        "tokenizer.json": {},
        [weights]: safetensors(4),
      },
      /architecture is "MambaForCausalLM"; supported: LlamaForCausalLM/,
    ],
    [
      "no tokenizer that is read",
      { "config.json": llamaConfig, [weights]: safetensors(4) },
      /no tokenizer.json/,
    ],
    [
      "weights that are none",
      { "config.json": llamaConfig, "tokenizer.json": {}, [weights]: noise(99) },
      /not a safetensors file/,
    ],
    ["rare bits", { "tiny.IQ2_XS.gguf": noise(20) }, /Weights as IQ2_XS cannot be read/],
    ["a part of a model", { "tiny-Q4_0-00001-of-00003.gguf": noise(20) }, /One of 3 parts of a model/],
    ["a GGUF file that is none", { "tiny.Q8_0.gguf": noise(40) }, /not a GGUF file/],
  ])("with %s says so of its variant", async (_, files, problem) => {
    hub.repositories.set("acme/other", repositoryOf(files));
    const [variant] = (await inspect("acme/other")).variants;
    expect(variant?.problem).toMatch(problem);
    expect(variant?.fit).toEqual({});
  });

  it("without weights is refused", async () => {
    hub.repositories.set("acme/none", repositoryOf({ "README.md": "none" }));
    expect(await failureOf(() => inspect("acme/none"))).toMatchObject({
      code: "FIL-1",
      message: '"acme/none" has no weights among its 1 files: .safetensors or .gguf was expected.',
    });
  });

  it("that is gated is looked at, and says where its licence is accepted", async () => {
    hub.repositories.set(repo, modelRepository(rows, {}, { isGated: true }));
    const offer = await inspect(repo);
    expect(offer).toMatchObject({ isGated: true, architecture: null, parameters: null });
    expect(offer.variants[0]?.problem).toBe(
      `"config.json" could not be downloaded (401): "${repo}" is gated. Accept its licence at https://${host()}/${repo}. Then enter a token of your account.`,
    );
    const shelf = openShelf(hub);
    await shelf.setHub({ hubUrl: hub.url, token: hubToken });
    expect(await shelf.inspectHub({ repo, revision: "main" })).toMatchObject({ architecture: "llama" });
  });

  it("is refused by a name that is none", async () => {
    for (const name of ["", "a/b/c/d", "../secret", "a b"])
      expect(await failureOf(() => inspect(name))).toMatchObject({ code: "CFG-1" });
  });
});
