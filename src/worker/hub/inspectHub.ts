/** What a repository offers, from its list of files and the headers of its weights: nothing large is downloaded. */
import { readRange, sizeOf, type FileBytes } from "../../engine/files/fileBytes.ts";
import { FileFormatError } from "../../engine/files/fileFormatError.ts";
import type { ModelConfig } from "../../engine/models/config.ts";
import type { StoredTensor } from "../../engine/models/storedTensors.ts";
import { refuse } from "../errorReport.ts";
import type { ModelOffer, ModelVariant } from "../protocol.ts";
import type { HubAccess } from "./hubAccess.ts";
import {
  openHubFile,
  repositoryFiles,
  repositoryInfo,
  type Repository,
  type RepositoryInfo,
} from "./hubClient.ts";
import { HubError } from "./hubError.ts";
import { hubId, repositoryName } from "./hubId.ts";
import { listVariants, type ListedVariant } from "./variants.ts";

/** A file of a model, of which only what is needed is read. */
export interface OpenFile {
  readonly name: string;
  readonly bytes: FileBytes;
}

/** What the headers of a model's files say. */
export interface ModelHeaders {
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, Pick<StoredTensor, "shape" | "type" | "bytes">>;
  /** Whether a GGUF file brings a chat template; other files have it beside them. */
  readonly hasChatTemplate?: boolean;
}

/** What looks into a model's files. */
export interface ModelReaders {
  /** Opens `config.json` with safetensors and their index, or one GGUF file. Throws `FileFormatError` for what cannot be loaded. */
  readonly openHeaders: (files: readonly OpenFile[]) => Promise<ModelHeaders>;
  /** Whether a model fits, by layout of its matrices on the device. */
  readonly fitOf: (headers: ModelHeaders) => Promise<ModelVariant["fit"]>;
}

/** More of a small file is not looked at. */
const MOST_TEXT_BYTES = 4 << 20;

/** Looks at a repository. Throws `HubError`; what speaks against a variant is said with it. */
export async function inspectHub(
  access: HubAccess,
  readers: ModelReaders,
  question: { readonly repo: string; readonly revision: string },
): Promise<ModelOffer> {
  const asked: Repository = {
    kind: "model",
    repo: repositoryName(question.repo, access.hubUrl()),
    revision: question.revision.trim() || "main",
  };
  const info = await repositoryInfo(access, asked);
  const repository = { ...asked, revision: info.commit };
  const files = await repositoryFiles(access, repository);
  const listed = listVariants(files);
  if (listed.length === 0)
    refuse(
      "FIL-1",
      `"${asked.repo}" has no weights among its ${files.length} files: .safetensors or .gguf was expected.`,
    );
  const looked = await look({ access, readers, repository, info }, listed);
  const template = await chatTemplate(
    access,
    repository,
    files.map(({ name }) => name),
  );
  return {
    repo: asked.repo,
    revision: info.commit,
    architecture: looked.headers?.config.architecture ?? null,
    parameters: looked.headers === null ? null : countParameters(looked.headers),
    license: info.license,
    isGated: info.isGated,
    hasChatTemplate: template || looked.headers?.hasChatTemplate === true,
    variants: looked.variants,
  };
}

interface Looking {
  readonly access: HubAccess;
  readonly readers: ModelReaders;
  readonly repository: Repository;
  readonly info: RepositoryInfo;
}

/** Reads the headers of the full weights and of one GGUF file: the others hold the same model. */
async function look(
  { access, readers, repository }: Looking,
  listed: readonly ListedVariant[],
): Promise<{ readonly variants: ModelVariant[]; readonly headers: ModelHeaders | null }> {
  const found = new Map<ListedVariant["format"], Seen>();
  const variants: ModelVariant[] = [];
  for (const variant of listed) {
    let seen = variant.problem === null ? found.get(variant.format) : undefined;
    let fit: ModelVariant["fit"] = {};
    if (variant.problem === null && seen === undefined) {
      seen = await see(access, readers, { repository, variant });
      found.set(variant.format, seen);
      ({ fit } = seen);
    } else if (seen !== undefined) {
      // How another file's own weights lie is known when its header is read.
      const { keep: _, ...others } = seen.fit;
      fit = others;
    }
    variants.push({
      id: hubId({ ...repository, file: variant.file }),
      label: variant.label,
      format: variant.format,
      files: variant.files.map(({ name, bytes }) => ({ name, bytes })),
      bytes: variant.files.reduce((sum, { bytes }) => sum + bytes, 0),
      fit,
      problem: variant.problem ?? seen?.problem ?? null,
    });
  }
  const headers = [...found.values()].find((seen) => seen.headers !== null)?.headers ?? null;
  return { variants, headers };
}

interface Seen {
  readonly headers: ModelHeaders | null;
  readonly fit: ModelVariant["fit"];
  readonly problem: string | null;
}

async function see(
  access: HubAccess,
  readers: ModelReaders,
  { repository, variant }: { readonly repository: Repository; readonly variant: ListedVariant },
): Promise<Seen> {
  const wanted = variant.files.filter(
    ({ name }) => name === "config.json" || /\.(?:safetensors|gguf|index\.json)$/.test(name),
  );
  try {
    const opened: OpenFile[] = [];
    for (const { name } of wanted) opened.push({ name, bytes: await openHubFile(access, repository, name) });
    const quantized = await quantizationMethod(opened);
    if (quantized !== null) return unreadable(quantized);
    const headers = await readers.openHeaders(opened);
    return { headers, fit: await readers.fitOf(headers), problem: null };
  } catch (error) {
    if (error instanceof FileFormatError) return unreadable(error.message);
    // A gated repository may be looked at, but its files may not.
    if (error instanceof HubError && (error.status === 401 || error.status === 403))
      return unreadable(error.message);
    throw error;
  }
}

function unreadable(problem: string): Seen {
  return { headers: null, fit: {}, problem };
}

/** Weights that were quantised for other programs: a sentence, or null where they are not. */
async function quantizationMethod(files: readonly OpenFile[]): Promise<string | null> {
  const config = files.find(({ name }) => name === "config.json");
  const json = config === undefined ? null : await readJson(config.bytes);
  const method = (json?.["quantization_config"] as { quant_method?: unknown } | null | undefined)
    ?.quant_method;
  if (typeof method !== "string") return null;
  return `The weights are quantised with ${method.toUpperCase()}, which is not read here. Choose the full weights, or a GGUF file.`;
}

/** An object in a small file; null where it holds something else. */
async function readJson(bytes: FileBytes): Promise<Record<string, unknown> | null> {
  if (sizeOf(bytes) > MOST_TEXT_BYTES) return null;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await readRange(bytes, 0, sizeOf(bytes))));
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function countParameters({ tensors }: ModelHeaders): number {
  return [...tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
}

/** Whether the tokenizer's files bring one; a GGUF file alone has it in its header, which says so when it is loaded. */
async function chatTemplate(
  access: HubAccess,
  repository: Repository,
  names: readonly string[],
): Promise<boolean> {
  if (names.includes("chat_template.jinja") || names.includes("chat_template.json")) return true;
  if (!names.includes("tokenizer_config.json")) return false;
  try {
    const json = await readJson(await openHubFile(access, repository, "tokenizer_config.json"));
    return (json?.["chat_template"] ?? null) !== null;
  } catch (error) {
    if (error instanceof HubError && (error.status === 401 || error.status === 403)) return false;
    throw error;
  }
}
