/** Writes a model as one GGUF file that llama.cpp loads. */
import {
  writeGguf,
  type GgufEntry,
  type GgufFile,
  type GgufWriteTensor,
  type GgufWriteType,
} from "../../files/gguf/write.ts";
import { tokenizerToGguf } from "../../tokenizer/gguf/toGguf.ts";
import type { TokenizerFiles } from "../../tokenizer/tokenizer.ts";
import { checkpointShapes } from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import type { StoredTensor } from "../../files/storedTensors.ts";
import { GgufExportError } from "./exportError.ts";
import { toGgufName, type GgufFamily } from "./families.ts";
import { familyOf, metadataFromConfig } from "./metadataFromConfig.ts";
import { ROPE_FACTORS } from "./openTensors.ts";
import { llama3Factors } from "./ropeFactors.ts";
import { interleaveRows } from "./rowOrder.ts";

/** What goes into a file. */
export interface GgufExport {
  readonly config: ModelConfig;
  /** By Hugging Face's names; others than the model's are left out. */
  readonly tensors: ReadonlyMap<string, Pick<StoredTensor, "shape" | "values">>;
  readonly tokenizerFiles: TokenizerFiles;
  /** Type of the matrices; vectors stay F32, and rows that are no whole blocks become F16. */
  readonly weights: GgufWriteType;
  readonly description: {
    readonly name: string;
    /** An SPDX identifier. */
    readonly license?: string;
    /** Repository that the model was made from, as owner/name. */
    readonly baseModel?: string;
  };
}

/** What addresses of repositories begin with. */
const HUB = "https://huggingface.co/";
/** `general.file_type`, a label. */
const FILE_TYPES: Readonly<Record<GgufWriteType, number>> = { F32: 0, F16: 1, Q8_0: 7 };
const BLOCK = 32;
const QUANTIZATION_VERSION = 2;

function general({ description, weights }: GgufExport, family: GgufFamily): Map<string, GgufEntry> {
  const entries = new Map<string, GgufEntry>();
  const text = (name: string, value: string) => entries.set(`general.${name}`, { type: "string", value });
  text("architecture", family.name);
  text("type", "model");
  text("name", description.name);
  if (description.license !== undefined) text("license", description.license);
  if (description.baseModel !== undefined) {
    entries.set("general.base_model.count", { type: "uint32", value: 1 });
    text("base_model.0.name", description.baseModel.split("/").at(-1) ?? description.baseModel);
    text("base_model.0.repo_url", HUB + description.baseModel);
  }
  entries.set("general.file_type", { type: "uint32", value: FILE_TYPES[weights] });
  entries.set("general.quantization_version", { type: "uint32", value: QUANTIZATION_VERSION });
  return entries;
}

function typeOf(shape: readonly number[], weights: GgufWriteType): GgufWriteType {
  if (shape.length < 2) return "F32";
  return weights === "Q8_0" && (shape.at(-1) ?? 0) % BLOCK !== 0 ? "F16" : weights;
}

/** Values as the converter would store them. */
async function convert(
  stored: Pick<StoredTensor, "values">,
  name: string,
  { family, config }: { family: GgufFamily; config: ModelConfig },
): Promise<Float32Array> {
  const values = await stored.values();
  if (family.isGemma && name.endsWith("norm.weight")) return values.map((value) => value + 1);
  const part = /\.(q|k)_proj\.(weight|bias)$/.exec(name)?.[1];
  if (!family.hasInterleavedRows || part === undefined) return values;
  const heads = part === "q" ? config.heads : config.keyValueHeads;
  return interleaveRows(values, { heads, headDim: config.headDim });
}

function listTensors({ config, tensors, weights }: GgufExport, family: GgufFamily): GgufWriteTensor[] {
  const listed = [...checkpointShapes(config)].map(([name, shape]): GgufWriteTensor => {
    const stored = tensors.get(name);
    const ggufName = toGgufName(family, name);
    if (stored === undefined || ggufName === undefined || stored.shape.join() !== shape.join())
      throw new GgufExportError(
        `The weight "${name}" is ${stored === undefined ? "missing" : `of shape [${stored.shape.join(", ")}]`}, ` +
          `expected [${shape.join(", ")}].`,
      );
    return {
      name: ggufName,
      shape,
      type: typeOf(shape, weights),
      values: () => convert(stored, name, { family, config }),
    };
  });
  const { ropeScaling, ropeTheta, headDim } = config;
  if (ropeScaling?.type !== "llama3") return listed;
  const factors = llama3Factors(ropeScaling, ropeTheta, headDim);
  const values = () => Promise.resolve(factors);
  return [{ name: ROPE_FACTORS, shape: [factors.length], type: "F32", values }, ...listed];
}

/**
 * Prepares the file of a model; tensors are asked for one after another when its pieces are.
 * Throws `GgufExportError`, or `TokenizerError`, with the reason why a GGUF file cannot hold the model.
 */
export function writeModelGguf(model: GgufExport): GgufFile {
  const family = familyOf(model.config);
  return writeGguf({
    metadata: new Map([
      ...general(model, family),
      ...metadataFromConfig(family, model.config),
      ...tokenizerToGguf(model.tokenizerFiles, model.config.vocabularySize),
    ]),
    tensors: listTensors(model, family),
  });
}
