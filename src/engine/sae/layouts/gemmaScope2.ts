/** The layout of Gemma Scope 2 (Gemma 3): `params.safetensors` and, where it was published, `config.json`. */
import { FileFormatError } from "../../files/fileFormatError.ts";
import { biasOfShift } from "./folding.ts";
import { EXPECTED_HOOK, hookOfLayer, placeOfHook, type Place } from "./hooks.ts";
import { baseName, type ReadSaeOptions, type SaeArrays, type SaeFile, type SaeLayout } from "./layout.ts";
import { fileOf, findFile, placeOf, readFields, refuseField, type Fields } from "./sourceFiles.ts";
import { openSafetensors, readTensors, type RawArrays } from "./tensors.ts";

const WEIGHTS = "params.safetensors";
const CONFIG = "config.json";
const REPOSITORY = /gemma-scope-2-(\d+[bm])-(pt|it)/;
const FOLDERS = /(?:^|\/)([a-z_]+)\/layer_(\d{1,4})(?!\d)[^/]*\/[^/]*$/;
const RESIDUAL_FOLDERS = ["resid_post", "resid_post_all"];

interface Description {
  readonly place: Place | null;
  readonly modelName: string | null;
  readonly width: number | null;
  readonly subtractsDecoderBias: boolean;
}

/** The place in the path: one folder names the site, the next the block. */
function placeInPath(path: string): Place | null {
  const [, site, layer] = FOLDERS.exec(path) ?? [];
  if (site === undefined || layer === undefined) return null;
  if (!RESIDUAL_FOLDERS.includes(site))
    throw new FileFormatError(
      "FIL-1",
      path,
      `it reads "${site}", expected "resid_post": only the residual stream is computed.`,
    );
  return { layer: Number(layer), hook: hookOfLayer(Number(layer)) };
}

function modelInPath(path: string): string | null {
  const [, size, kind] = REPOSITORY.exec(path) ?? [];
  return size === undefined ? null : `google/gemma-3-${size}-${kind}`;
}

/** The place in the configuration; refuses what comes out elsewhere than it went in. */
function placeInConfig(file: string, fields: Fields): Place | null {
  const { hf_hook_point_in: hook, hf_hook_point_out: out } = fields;
  if ((out ?? hook) !== hook)
    return refuseField(file, "hf_hook_point_out", out, "what hf_hook_point_in is: no transcoder");
  if (hook === undefined || hook === null) return null;
  return placeOfHook(hook) ?? refuseField(file, "hf_hook_point_in", hook, EXPECTED_HOOK);
}

/** Refuses what would be computed in another way. */
function describe(file: string, fields: Fields, path: string): Description {
  const {
    architecture,
    affine_connection: isAffine,
    width,
    apply_b_dec_to_input: subtracts = false,
  } = fields;
  if ((architecture ?? "jump_relu") !== "jump_relu")
    return refuseField(file, "architecture", architecture, "jump_relu");
  if ((isAffine ?? false) !== false)
    return refuseField(file, "affine_connection", isAffine, "false: no transcoder");
  if (typeof subtracts !== "boolean")
    return refuseField(file, "apply_b_dec_to_input", subtracts, "true or false");
  const { model_name: modelName } = fields;
  return {
    place: placeInConfig(file, fields) ?? placeInPath(path),
    modelName: typeof modelName === "string" ? modelName : modelInPath(path),
    width: typeof width === "number" ? width : null,
    subtractsDecoderBias: subtracts,
  };
}

function folded(arrays: RawArrays, { subtractsDecoderBias }: Description, needsDecoder: boolean): RawArrays {
  const { decoderBias } = arrays;
  const bias = subtractsDecoderBias && decoderBias !== null ? biasOfShift(arrays, decoderBias) : arrays.bias;
  return { ...arrays, bias, decoderBias: needsDecoder ? decoderBias : null };
}

async function read(files: readonly SaeFile[], options: ReadSaeOptions): Promise<SaeArrays> {
  const weights = fileOf(files, WEIGHTS);
  const config = findFile(files, (base) => base === CONFIG);
  const configName = config?.name ?? CONFIG;
  const description = describe(configName, config === null ? {} : await readFields(config), weights.name);
  const place = placeOf(weights.name, description.place, options);
  const needsDecoder = options.needsDecoder ?? false;
  const arrays = await readTensors(await openSafetensors(weights), {
    sizes: null,
    threshold: "threshold",
    needsDecoder,
    needsDecoderBias: description.subtractsDecoderBias,
  });
  if (description.width !== null && description.width !== arrays.width)
    return refuseField(configName, "width", description.width, `${arrays.width}, which W_enc has`);
  return { ...folded(arrays, description, needsDecoder), ...place, modelName: description.modelName };
}

/** Gemma Scope 2: raw residual stream; attention, MLP outputs and transcoders are refused by name. */
export const gemmaScope2: SaeLayout = {
  fileNames: [WEIGHTS, CONFIG],
  matches: (files) => files.some((file) => baseName(file) === WEIGHTS),
  read,
};
