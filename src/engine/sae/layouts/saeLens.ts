/** The layout of SAELens, before and since version 6: `sae_weights.safetensors` and `cfg.json`. */
import { FileFormatError } from "../../files/fileFormatError.ts";
import { biasOfShift, rowNorms, scaled, scaledRows } from "./folding.ts";
import { baseName, type ReadSaeOptions, type SaeArrays, type SaeFile, type SaeLayout } from "./layout.ts";
import { readSaeLensConfig, type SaeLensConfig } from "./saeLensConfig.ts";
import { fileOf, findFile, placeOf, readFields, refuseField } from "./sourceFiles.ts";
import { openSafetensors, readTensors, type RawArrays, type TensorFile } from "./tensors.ts";

/** The file that holds the arrays. */
export const SAE_LENS_WEIGHTS = "sae_weights.safetensors";
/** The file that says what they are. */
export const SAE_LENS_CONFIG = "cfg.json";
/** What a run that is still training keeps its measured factor in. */
const SCALER = "activation_scaler.json";
const BATCH_THRESHOLD = "topk_threshold";
/** Factors of the activations that were once tuned; those that were never tuned are ones. */
const TUNED_FACTORS = ["scaling_factor", "finetuning_scaling_factor"];

/** The factor of the stream: 1, the option's, or the one beside the files; throws `FileFormatError` where it is unknown. */
async function scaleOf(
  files: readonly SaeFile[],
  { needsScale }: SaeLensConfig,
  { activationScale }: ReadSaeOptions,
): Promise<number> {
  if (!needsScale) return 1;
  const file = findFile(files, (base) => base === SCALER);
  const beside = file === null ? undefined : (await readFields(file))["scaling_factor"];
  const scale = activationScale ?? beside;
  return typeof scale === "number" && Number.isFinite(scale) && scale > 0
    ? scale
    : refuseField(
        SAE_LENS_CONFIG,
        "normalize_activations",
        "expected_average_only_in",
        `none, or the factor that was measured (${SCALER} has it as scaling_factor)`,
      );
}

async function checkFactors({ file, names, read }: TensorFile): Promise<void> {
  for (const name of TUNED_FACTORS) {
    if (!names.includes(name)) continue;
    const other = (await read(name)).values.find((value) => value !== 1);
    if (other !== undefined)
      throw new FileFormatError("FIL-1", file, `${name} holds ${other}, expected ones alone.`);
  }
}

/** The arrays of an autoencoder that reads the stream as it is; exact but for the rounding of each product or sum. */
function folded(arrays: RawArrays, config: SaeLensConfig, scale: number): RawArrays {
  let { encoder, bias, decoder, decoderBias } = arrays;
  if (config.rescalesByDecoderNorm && decoder !== null) {
    const norms = rowNorms(decoder, arrays.width);
    encoder = scaledRows(encoder, norms);
    bias = scaledRows(bias, norms);
    decoder = scaledRows(
      decoder,
      norms.map((norm) => 1 / norm),
    );
  }
  if (scale !== 1) {
    encoder = scaled(encoder, scale);
    decoder = decoder === null ? null : scaled(decoder, 1 / scale);
    decoderBias = decoderBias === null ? null : scaled(decoderBias, 1 / scale);
  }
  if (config.subtractsDecoderBias && decoderBias !== null) bias = biasOfShift({ encoder, bias }, decoderBias);
  return { ...arrays, encoder, bias, decoder, decoderBias };
}

async function read(files: readonly SaeFile[], options: ReadSaeOptions): Promise<SaeArrays> {
  const configFile = fileOf(files, SAE_LENS_CONFIG);
  const config = readSaeLensConfig(configFile.name, await readFields(configFile));
  const weights = fileOf(files, SAE_LENS_WEIGHTS);
  const place = placeOf(weights.name, config.place, options);
  const scale = await scaleOf(files, config, options);
  const tensors = await openSafetensors(weights);
  await checkFactors(tensors);
  const isFromTraining = config.cut === "batchTopK" && tensors.names.includes(BATCH_THRESHOLD);
  const needsDecoder = options.needsDecoder ?? false;
  const arrays = await readTensors(tensors, {
    sizes: { inputSize: config.inputSize, width: config.width, source: SAE_LENS_CONFIG },
    threshold: config.cut === "none" ? null : isFromTraining ? BATCH_THRESHOLD : "threshold",
    needsDecoder: needsDecoder || config.rescalesByDecoderNorm,
    needsDecoderBias: config.subtractsDecoderBias,
    ignored: TUNED_FACTORS,
  });
  const { decoder, decoderBias, ...rest } = folded(arrays, config, scale);
  const kept = needsDecoder ? { decoder, decoderBias } : { decoder: null, decoderBias: null };
  return { ...rest, ...kept, ...place, modelName: config.modelName };
}

/** SAELens: `standard`, `jumprelu`, and `batchtopk` with the threshold it left; top-k and gated ones are refused by name. */
export const saeLens: SaeLayout = {
  fileNames: [SAE_LENS_WEIGHTS, SAE_LENS_CONFIG],
  matches: (files) => files.some((file) => [SAE_LENS_WEIGHTS, SAE_LENS_CONFIG].includes(baseName(file))),
  read,
};
