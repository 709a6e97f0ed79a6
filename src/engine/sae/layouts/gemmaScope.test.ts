import { describe, expect, it } from "vitest";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { readSae } from "../readSae.ts";
import {
  archiveFiles,
  expectedArrays,
  inputSize,
  jsonFile,
  published,
  publishedInSmall,
  weightsFile,
  width,
} from "../saeFiles.testing.ts";
import type { ReadSaeOptions, SaeFile } from "./layout.ts";

const whole = { needsDecoder: true };
const FOLDER = "layer_25/width_16k/average_l0_55";
const config = {
  hf_hook_point_in: "model.layers.7.output",
  architecture: "jump_relu",
  model_name: "google/gemma-3-1b-pt",
  width,
  l0: 12,
};

function filesOf(changes: object = {}, arrays = publishedInSmall): readonly SaeFile[] {
  return [weightsFile("params.safetensors", arrays), jsonFile("config.json", { ...config, ...changes })];
}

async function expectRefusal(
  files: readonly SaeFile[] | Promise<readonly SaeFile[]>,
  words: string,
  options: ReadSaeOptions = {},
): Promise<void> {
  const reading = readSae(await files, options);
  await expect(reading).rejects.toThrow(FileFormatError);
  await expect(reading).rejects.toThrow(words);
}

describe("Gemma Scope 1", () => {
  it.each([
    [`${FOLDER}/params.npz`, null],
    ["layer_25_width_16k_average_l0_55.npz", null],
    [`google/gemma-scope-2b-pt-res/${FOLDER}/params.npz`, "gemma-2-2b"],
    [`gemma-scope-9b-it-res\\${FOLDER.replaceAll("/", "\\")}\\params.npz`, "gemma-2-9b-it"],
  ])("takes layer and model from %s", async (name, modelName) => {
    const place = { layer: 25, hook: "blocks.25.hook_resid_post" };
    expect(await readSae(await archiveFiles(name), whole)).toEqual({
      ...expectedArrays,
      ...place,
      modelName,
    });
  });

  it("reads small letters too, and takes the place from an option where the path has none", async () => {
    const { layer, hook, encoder, decoder } = await readSae(
      await archiveFiles("params.npz", publishedInSmall),
      {
        hook: "model.layers.3.output",
      },
    );
    expect({ layer, hook, encoder, decoder }).toEqual({
      layer: 3,
      hook: "model.layers.3.output",
      encoder: expectedArrays.encoder,
      decoder: null,
    });
  });

  it("refuses a place that is unknown, of no use, or contradicted", async () => {
    await expectRefusal(
      archiveFiles("params.npz"),
      "which block it reads stands neither in the file nor in its path",
    );
    await expectRefusal(archiveFiles("embedding/width_4k/average_l0_6/params.npz"), "which block it reads");
    await expectRefusal(
      archiveFiles(`gemma-scope-2b-pt-mlp/${FOLDER}/params.npz`),
      'it reads "mlp", expected "res"',
    );
    await expectRefusal(
      archiveFiles(`gemma-scope-2b-pt-transcoders/${FOLDER}/params.npz`),
      'it reads "transcoders"',
    );
    await expectRefusal(
      archiveFiles(`${FOLDER}/params.npz`),
      "block 25, and blocks.4.hook_resid_post was asked for",
      {
        hook: "blocks.4.hook_resid_post",
      },
    );
    await expectRefusal(archiveFiles("params.npz"), 'the given place is "blocks.4.hook_mlp_out"', {
      hook: "blocks.4.hook_mlp_out",
    });
  });

  it("refuses arrays that are missing, unknown, spelled twice or of another shape", async () => {
    const path = `${FOLDER}/params.npz`;
    const { threshold, ...rest } = published;
    await expectRefusal(archiveFiles(path, rest), "the tensor threshold is missing");
    const skip = { ...published, affine_skip_connection: published.W_enc };
    await expectRefusal(
      archiveFiles(path, skip),
      'holds "affine_skip_connection", whose effect is not computed',
    );
    await expectRefusal(
      archiveFiles(path, { ...published, w_enc: published.W_enc }),
      "w_enc in both spellings",
    );
    await expectRefusal(
      archiveFiles(path, { ...published, b_enc: { ...threshold, shape: [1, width] } }),
      `b_enc has the shape [1, ${width}], and W_enc asks for [${width}]`,
    );
    await expectRefusal(
      archiveFiles(path, { ...published, W_enc: threshold }),
      `W_enc has the shape [${width}]`,
    );
  });

  it("refuses two archives at once", async () => {
    const [first, second] = [
      await archiveFiles(`${FOLDER}/params.npz`),
      await archiveFiles("other/params.npz"),
    ];
    await expectRefusal([...first, ...second], `other/params.npz: there is also ${FOLDER}/params.npz`);
  });
});

describe("Gemma Scope 2", () => {
  it("takes layer and model from config.json", async () => {
    const place = { layer: 7, hook: "model.layers.7.output", modelName: "google/gemma-3-1b-pt" };
    expect(await readSae(filesOf(), whole)).toEqual({ ...expectedArrays, ...place });
  });

  it.each(["resid_post", "resid_post_all"])(
    "takes them from the path under %s where it is missing",
    async (site) => {
      const name = `gemma-scope-2-1b-pt/${site}/layer_12_width_16k_l0_small/params.safetensors`;
      const place = { layer: 12, hook: "blocks.12.hook_resid_post", modelName: "google/gemma-3-1b-pt" };
      const read = await readSae([weightsFile(name, publishedInSmall)], whole);
      expect(read).toEqual({ ...expectedArrays, ...place });
    },
  );

  it("folds the decoder's bias in where config.json asks for it", async () => {
    const { bias, decoderBias } = await readSae(filesOf({ apply_b_dec_to_input: true }));
    const expected = expectedArrays.bias.map((start, feature) => {
      let sum = start;
      for (let i = 0; i < inputSize; i++)
        sum -= published.b_dec.values[i]! * published.W_enc.values[i * width + feature]!;
      return sum;
    });
    bias.forEach((value, feature) => expect(value).toBeCloseTo(expected[feature]!, 6));
    expect(decoderBias).toBeNull();
  });

  it.each<readonly [string, object]>([
    [
      'hf_hook_point_in is "model.layers.5.self_attn.o_proj.input"',
      { hf_hook_point_in: "model.layers.5.self_attn.o_proj.input" },
    ],
    ['hf_hook_point_out is "model.layers.8.output"', { hf_hook_point_out: "model.layers.8.output" }],
    ['architecture is "topk", expected jump_relu', { architecture: "topk" }],
    ["affine_connection is true", { affine_connection: true }],
    ["apply_b_dec_to_input is 1", { apply_b_dec_to_input: 1 }],
    [`width is 6, expected ${width}, which W_enc has`, { width: 6 }],
    ["which block it reads", { hf_hook_point_in: undefined }],
  ])("refuses: %s", (words, changes) => expectRefusal(filesOf(changes), words));

  it("refuses other sites by the path", () =>
    expectRefusal(
      [weightsFile("mlp_out/layer_5_width_16k_l0_big/params.safetensors", publishedInSmall)],
      'it reads "mlp_out", expected "resid_post"',
    ));
});
