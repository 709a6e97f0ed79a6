/** What a repository offers, from its list of files and the headers of its weights: nothing large is downloaded. */
import { FileFormatError } from "../../engine/files/fileFormatError.ts";
import { refuse } from "../errorReport.ts";
import type { ModelOffer, ModelVariant } from "../protocol.ts";
import type { HubAccess } from "./hubAccess.ts";
import { openHubFile, repositoryFiles, repositoryInfo, type Repository } from "./hubClient.ts";
import { HubError } from "./hubError.ts";
import { hubId, repositoryName } from "./hubId.ts";
import { openHeaders, readJson, type ModelHeaders, type OpenFile } from "./openHeaders.ts";
import { listVariants, type ListedVariant } from "./variants.ts";

/** Whether a model fits, by layout of its matrices on the device. */
export type FitOf = (headers: ModelHeaders) => Promise<ModelVariant["fit"]>;

/** Looks at a repository. Throws `HubError`; what speaks against a variant is said with it. */
export async function inspectHub(
  access: HubAccess,
  fitOf: FitOf,
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
  const looked = await look({ access, fitOf, repository }, listed);
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
  readonly fitOf: FitOf;
  readonly repository: Repository;
}

/** Reads the headers of the full weights and of one GGUF file: the others hold the same model. */
async function look(
  { access, fitOf, repository }: Looking,
  listed: readonly ListedVariant[],
): Promise<{ readonly variants: ModelVariant[]; readonly headers: ModelHeaders | null }> {
  const found = new Map<ListedVariant["format"], Seen>();
  const variants: ModelVariant[] = [];
  for (const variant of listed) {
    let seen = variant.problem === null ? found.get(variant.format) : undefined;
    let fit: ModelVariant["fit"] = {};
    if (variant.problem === null && seen === undefined) {
      seen = await see(access, fitOf, { repository, variant });
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
  fitOf: FitOf,
  { repository, variant }: { readonly repository: Repository; readonly variant: ListedVariant },
): Promise<Seen> {
  const wanted = variant.files.filter(
    ({ name }) => name === "config.json" || /\.(?:safetensors|gguf|index\.json)$/.test(name),
  );
  try {
    const opened: OpenFile[] = [];
    for (const { name } of wanted) opened.push({ name, bytes: await openHubFile(access, repository, name) });
    const headers = await openHeaders(opened);
    return { headers, fit: await fitOf(headers), problem: null };
  } catch (error) {
    if (error instanceof FileFormatError || isRefused(error))
      return { headers: null, fit: {}, problem: error.message };
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
    const name = "tokenizer_config.json";
    const json = await readJson(await openHubFile(access, repository, name), name);
    return ((json as { chat_template?: unknown } | null)?.chat_template ?? null) !== null;
  } catch (error) {
    // It is said where it matters: when the model is downloaded and loaded.
    if (error instanceof FileFormatError || isRefused(error)) return false;
    throw error;
  }
}

/** A gated repository may be looked at, but its files may not. */
function isRefused(error: unknown): error is HubError {
  return error instanceof HubError && (error.status === 401 || error.status === 403);
}
