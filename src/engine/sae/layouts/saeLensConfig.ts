/** `cfg.json` of SAELens, whichever version wrote it, as what there is to compute. */
import { EXPECTED_HOOK, placeOfHook, type Place } from "./hooks.ts";
import { isFields, refuseField, sizeField, type Fields } from "./sourceFiles.ts";

/** What `cfg.json` asks for. */
export interface SaeLensConfig {
  readonly inputSize: number;
  readonly width: number;
  /** How a feature is cut off: not at all, by thresholds, or by the one that BatchTopK left behind. */
  readonly cut: "none" | "threshold" | "batchTopK";
  /** Pre-activations are multiplied by the length of the feature's decoder row, and activations divided by it. */
  readonly rescalesByDecoderNorm: boolean;
  readonly subtractsDecoderBias: boolean;
  /** The stream is multiplied by a number that was measured on data. */
  readonly needsScale: boolean;
  readonly place: Place;
  readonly modelName: string | null;
}

const FIRST_WITH_METADATA = 6;
const CUTS: Readonly<Record<string, SaeLensConfig["cut"] | undefined>> = {
  standard: "none",
  jumprelu: "threshold",
  batchtopk: "batchTopK",
  matryoshka_batchtopk: "batchTopK",
};
const KNOWN_ARCHITECTURES = "standard, jumprelu or batchtopk: no other choice of features is computed";
const MEASURED_SCALE = "expected_average_only_in";

/** Fields in which the versions differ, under one name; `at` is what the file calls the hook. */
interface Versioned {
  readonly at: string;
  readonly hook: unknown;
  readonly layer: unknown;
  readonly head: unknown;
  readonly modelName: unknown;
}

/** The major version that wrote the file, or null: before 6 it often says nothing. */
function majorVersion(file: string, fields: Fields, metadata: unknown): number | null {
  const version =
    fields["sae_lens_version"] ?? (isFields(metadata) ? metadata["sae_lens_version"] : null) ?? null;
  if (version === null || version === "") return null;
  const major = typeof version === "string" ? /^(\d{1,4})\./.exec(version)?.[1] : undefined;
  return major === undefined
    ? refuseField(file, "sae_lens_version", version, "a version such as 6.0.0")
    : Number(major);
}

/** What the place is called: in `metadata` from 6 on, before that beside everything else and under older names still. */
function versioned(file: string, fields: Fields): Versioned {
  const metadata = fields["metadata"] ?? fields["meta"];
  const major = majorVersion(file, fields, metadata);
  const isCurrent = major === null ? isFields(metadata) : major >= FIRST_WITH_METADATA;
  if (isCurrent) {
    if (!isFields(metadata))
      return refuseField(file, "metadata", metadata, "an object as SAELens 6 writes it");
    const { hook_name: hook, hook_layer: layer, hook_head_index: head, model_name: modelName } = metadata;
    return { at: "metadata.hook_name", hook, layer, head, modelName };
  }
  const isOldest = "hook_point" in fields;
  return {
    at: isOldest ? "hook_point" : "hook_name",
    hook: isOldest ? fields["hook_point"] : fields["hook_name"],
    layer: fields["hook_point_layer"] ?? fields["hook_layer"],
    head: fields["hook_point_head_index"] ?? fields["hook_head_index"],
    modelName: fields["model_name"],
  };
}

function placeIn(file: string, { at, hook, layer, head }: Versioned): Place {
  const place = placeOfHook(hook);
  if (place === null) return refuseField(file, at, hook, EXPECTED_HOOK);
  if ((head ?? null) !== null)
    return refuseField(file, "hook_head_index", head, "none: the whole stream is read");
  // The hook's own number is that of the block, whether it names what goes in or what comes out.
  const named = Number(/\d+/.exec(place.hook)?.[0]);
  if ((layer ?? null) !== null && layer !== named)
    return refuseField(file, "hook_layer", layer, `${named}, as ${at} says`);
  return place;
}

/** Refuses what is done to the stream beside a shift and a known factor, because it depends on the row. */
function normalisationOf(file: string, fields: Fields): { readonly needsScale: boolean } {
  const reshaping = fields["reshape_activations"] ?? "none";
  if (reshaping !== "none") return refuseField(file, "reshape_activations", reshaping, "none");
  const written = fields["normalize_activations"] ?? "none";
  if (written === "none" || written === false) return { needsScale: false };
  if (written === MEASURED_SCALE || written === true) return { needsScale: true };
  return refuseField(file, "normalize_activations", written, `none or ${MEASURED_SCALE}`);
}

function flag(file: string, fields: Fields, name: string, missing: boolean): boolean {
  const value = fields[name] ?? missing;
  return typeof value === "boolean" ? value : refuseField(file, name, value, "true or false");
}

function cutOf(file: string, fields: Fields): SaeLensConfig["cut"] {
  const architecture = fields["architecture"] ?? "standard";
  const cut =
    typeof architecture === "string" && Object.hasOwn(CUTS, architecture) ? CUTS[architecture] : undefined;
  if (cut === undefined) return refuseField(file, "architecture", architecture, KNOWN_ARCHITECTURES);
  const activation = fields["activation_fn_str"] ?? fields["activation_fn"] ?? "relu";
  return activation === "relu" ? cut : refuseField(file, "activation_fn", activation, "relu");
}

/**
 * Reads a `cfg.json`; throws `FileFormatError` for what would be computed wrongly. What a file does not say has the
 * value that SAELens gives it. Source: SAELens 6.18, `pretrained_sae_loaders.py` and the configurations beside it.
 */
export function readSaeLensConfig(file: string, fields: Fields): SaeLensConfig {
  const names = versioned(file, fields);
  const cut = cutOf(file, fields);
  const rescalesByDecoderNorm = flag(file, fields, "rescale_acts_by_decoder_norm", false);
  if (rescalesByDecoderNorm && cut !== "batchTopK")
    return refuseField(file, "rescale_acts_by_decoder_norm", true, "false for this architecture");
  return {
    inputSize: sizeField(file, fields, "d_in"),
    width: sizeField(file, fields, "d_sae"),
    cut,
    rescalesByDecoderNorm,
    subtractsDecoderBias: flag(file, fields, "apply_b_dec_to_input", true),
    ...normalisationOf(file, fields),
    place: placeIn(file, names),
    modelName: typeof names.modelName === "string" ? names.modelName : null,
  };
}
