/** A model's files, in whatever they come: a folder, one GGUF file, or a zip archive of either. */
import { allBytes, sizeOf, type FileBytes } from "../files/fileBytes.ts";
import { FileFormatError } from "../files/fileFormatError.ts";
import { openSafetensors } from "../files/safetensors.ts";
import { openShards, shardIndexName } from "../files/safetensorsShards.ts";
import type { StoredTensors } from "../files/storedTensors.ts";
import { openZip } from "../files/zip.ts";
import type { TokenizerFiles } from "../tokenizer/tokenizer.ts";
import { readModelConfig, type ModelConfig } from "./config.ts";
import { openGguf } from "./gguf/openGguf.ts";

/** A file by its name, which may have folders before it. */
export interface ModelFile {
  readonly name: string;
  readonly bytes: FileBytes;
}

/** What a model is made of; tensors are read when they are asked for. */
export interface ModelSource {
  readonly config: ModelConfig;
  readonly tensors: StoredTensors;
  /** The file that refusals of tensors name. */
  readonly file: string;
  readonly tokenizer: TokenizerFiles;
  /** The `config.json` as it is, or what stands for it in a GGUF file. */
  readonly configJson: unknown;
}

/** Files a folder must have; the rest of what it holds is optional or ignored. */
export const requiredModelFiles = ["config.json", "model.safetensors", "tokenizer.json"] as const;

/** Vocabularies of 260,000 tokens take about 35 MB. */
const MAX_TEXT_BYTES = 250_000_000;
const WEIGHTS = /\.safetensors$/i;
const GGUF = /\.gguf$/i;
const ARCHIVE = /\.zip$/i;

/** What the headers of a model's files say, before its tokenizer or a weight is read. */
export interface ModelHeaders extends Pick<ModelSource, "config" | "tensors" | "file"> {
  /** Whether a GGUF file brings a chat template; other files have it beside them. */
  readonly hasChatTemplate: boolean;
}

/**
 * Opens a model: reads its configuration, its tokenizer, and the names, shapes and places of its tensors. Throws
 * `FileFormatError` that names the file and what is wrong with it.
 */
export async function openModel(files: readonly ModelFile[]): Promise<ModelSource> {
  const opened = await unpackedFiles(files);
  const gguf = onlyGguf(opened);
  if (gguf !== null) return openGgufFile(gguf);
  const folder = modelFolder(opened);
  const settings = await readConfig(folder);
  const tokenizer = await readTokenizer(folder);
  return { ...settings, tokenizer, ...(await openWeights(folder)) };
}

/** Opens what is there of a model without its tokenizer's files, which may be missing; throws as `openModel` does. */
export async function openHeaders(files: readonly ModelFile[]): Promise<ModelHeaders> {
  const opened = await unpackedFiles(files);
  const gguf = onlyGguf(opened);
  if (gguf !== null) {
    const { config, tensors, file, tokenizer } = await openGgufFile(gguf);
    const { chat_template: template } = tokenizer.tokenizerConfig as { chat_template?: unknown };
    return { config, tensors, file, hasChatTemplate: typeof template === "string" };
  }
  const folder = modelFolder(opened);
  const { config } = await readConfig(folder);
  return { config, hasChatTemplate: false, ...(await openWeights(folder)) };
}

/** The GGUF file where there are no other weights; null where there are. */
function onlyGguf(opened: readonly NamedFile[]): NamedFile | null {
  const [gguf, other] = opened.filter(([name]) => GGUF.test(name));
  if (gguf === undefined || opened.some(([name]) => WEIGHTS.test(name))) return null;
  if (other === undefined) return gguf;
  throw new FileFormatError("FIL-1", other[0], `a second model beside ${gguf[0]}: open one at a time.`);
}

async function openGgufFile([file, open]: NamedFile): Promise<ModelSource> {
  const { config, configJson, tensors, tokenizerFiles: tokenizer } = await openGguf(await open(), file);
  return { config, configJson, tensors, file, tokenizer };
}

async function readConfig(folder: Folder): Promise<Pick<ModelSource, "config" | "configJson">> {
  const configJson = await readJson(folder, "config.json");
  return { configJson, config: readModelConfig(configJson, "config.json") };
}

/** Unpacks a file where it comes packed. */
type OpenFile = () => Promise<FileBytes>;

/** A file by its name, with folders before it. */
type NamedFile = readonly [name: string, open: OpenFile];

/** Files by their names inside the model's folder. */
type Folder = ReadonlyMap<string, OpenFile>;

/** The files as they are, or those of the one archive that was given. */
async function unpackedFiles(files: readonly ModelFile[]): Promise<NamedFile[]> {
  const archive = files.length === 1 ? files.find(({ name }) => ARCHIVE.test(name)) : undefined;
  if (archive === undefined) return files.map(({ name, bytes }) => [name, () => Promise.resolve(bytes)]);
  const { names, open } = await openZip(archive.bytes, archive.name);
  return names.map((name) => [name, () => open(name)]);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** The files beside the outermost config.json; all of them where there is none. */
function modelFolder(files: readonly NamedFile[]): Folder {
  const depth = (path: string) => path.split("/").length;
  const [first, second] = files
    .map(([name]) => name)
    .filter((name) => name.slice(folderOf(name).length) === "config.json")
    .toSorted((a, b) => depth(a) - depth(b));
  if (first !== undefined && second !== undefined && depth(first) === depth(second))
    throw new FileFormatError("FIL-1", second, `a second model beside ${first}: open one at a time.`);
  const folder = first === undefined ? null : folderOf(first);
  const own = files.filter(([name]) => folder === null || folderOf(name) === folder);
  return new Map(own.map(([name, open]) => [name.slice(folderOf(name).length), open]));
}

/** The tensors: those that an index names, of `model.safetensors`, or of the only file of that kind. */
async function openWeights(folder: Folder): Promise<Pick<ModelSource, "tensors" | "file">> {
  const index = folder.get(shardIndexName);
  const weights = [...folder.keys()].filter((name) => WEIGHTS.test(name));
  if (index !== undefined) {
    const find = async (name: string) => folder.get(name)?.();
    return { tensors: await openShards(await index(), find), file: shardIndexName };
  }
  if (weights.length > 1 && !weights.includes("model.safetensors"))
    throw new FileFormatError(
      "FIL-1",
      shardIndexName,
      `it is not in the folder, which holds ${weights.length} files of weights: it says which of them holds what.`,
    );
  const [only] = weights;
  const file = weights.length === 1 ? only! : "model.safetensors";
  return { tensors: await openSafetensors(await openRequired(folder, file), file), file };
}

async function readTokenizer(folder: Folder): Promise<TokenizerFiles> {
  const chatTemplate = folder.get("chat_template.jinja");
  return {
    tokenizerJson: await readJson(folder, "tokenizer.json"),
    // Without it the tokenizer adds what tokenizer.json says, and there is no chat template.
    tokenizerConfig: folder.has("tokenizer_config.json")
      ? await readJson(folder, "tokenizer_config.json")
      : {},
    ...(folder.has("generation_config.json")
      ? { generationConfig: await readJson(folder, "generation_config.json") }
      : {}),
    ...(chatTemplate === undefined
      ? {}
      : { chatTemplate: await readText(await chatTemplate(), "chat_template.jinja") }),
  };
}

async function openRequired(folder: Folder, name: string): Promise<FileBytes> {
  const open = folder.get(name);
  if (open !== undefined) return open();
  throw new FileFormatError(
    "FIL-1",
    name,
    `it is not in the folder. A model folder holds ${requiredModelFiles.join(", ")}.`,
  );
}

async function readJson(folder: Folder, name: string): Promise<unknown> {
  const text = await readText(await openRequired(folder, name), name);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FileFormatError(
      "FIL-1",
      name,
      `it is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

async function readText(bytes: FileBytes, name: string): Promise<string> {
  const size = sizeOf(bytes);
  if (size > MAX_TEXT_BYTES)
    throw new FileFormatError("FIL-1", name, `it has ${size} bytes, expected at most ${MAX_TEXT_BYTES}.`);
  return new TextDecoder().decode(await allBytes(bytes));
}
