/** What is asked of a Hub, through its own client, which is loaded when it is first needed. */
import type { FileBytes } from "../../engine/files/fileBytes.ts";
import { refuse } from "../errorReport.ts";
import type { HubAccess } from "./hubAccess.ts";
import { HubError } from "./hubError.ts";
import type { HashName } from "./streamingHash.ts";

/** Whose files are asked for. */
export interface Repository {
  readonly kind: "model" | "dataset";
  readonly repo: string;
  readonly revision: string;
}

/** What the Hub says about a repository. */
export interface RepositoryInfo {
  /** The commit that the revision is at. */
  readonly commit: string;
  readonly license: string | null;
  readonly isGated: boolean;
}

/** A file as the Hub lists it. */
export interface HubFile {
  readonly name: string;
  readonly bytes: number;
  /** What its content has to give: Git's SHA-1 counts a header before it. */
  readonly hash: { readonly name: HashName; readonly value: string } | null;
}

/** Where the bytes of a file are. */
export interface FileSource {
  readonly url: string;
  /** Names the content: another one is another file. */
  readonly etag: string;
  readonly bytes: number;
}

/** A repository of more files is not listed to its end. */
const MOST_FILES = 5000;

const client = () => import("@huggingface/hub");

function common(access: HubAccess, { kind, repo, revision }: Repository) {
  return {
    repo: { type: kind, name: repo },
    revision,
    hubUrl: access.hubUrl(),
    fetch: access.fetch,
    ...access.credentials(),
  } as const;
}

/** Asks about a repository. Throws `HubError`. */
export async function repositoryInfo(access: HubAccess, repository: Repository): Promise<RepositoryInfo> {
  const { modelInfo, datasetInfo } = await client();
  const { revision, hubUrl, fetch, ...rest } = common(access, repository);
  const question = {
    ...rest,
    name: repository.repo,
    revision,
    hubUrl,
    fetch,
    additionalFields: ["sha", "cardData"] as ("sha" | "cardData")[],
  };
  const info = await (repository.kind === "model" ? modelInfo(question) : datasetInfo(question));
  const license: unknown = info.cardData?.license;
  return {
    commit: info.sha,
    license: Array.isArray(license) ? license.join(", ") : typeof license === "string" ? license : null,
    isGated: info.gated !== false && info.gated !== undefined,
  };
}

/** Lists the files of a repository, folders and empty files left out. Throws `HubError`. */
export async function repositoryFiles(access: HubAccess, repository: Repository): Promise<HubFile[]> {
  const { listFiles } = await client();
  const files: HubFile[] = [];
  for await (const entry of listFiles({ ...common(access, repository), recursive: true })) {
    if (entry.type !== "file" || entry.size === 0) continue;
    files.push({ name: entry.path, bytes: entry.lfs?.size ?? entry.size, hash: hashOf(entry) });
    if (files.length === MOST_FILES) break;
  }
  return files;
}

function hashOf({ oid, lfs }: { oid?: string; lfs?: { oid: string } }): HubFile["hash"] {
  const sha256 = lfs?.oid.replace(/^sha256:/, "");
  if (sha256 !== undefined && /^[\da-f]{64}$/.test(sha256)) return { name: "sha256", value: sha256 };
  return lfs === undefined && oid !== undefined && /^[\da-f]{40}$/.test(oid)
    ? { name: "sha1", value: oid }
    : null;
}

/** Asks where a file is. Throws `HubError`. */
export async function fileSource(
  access: HubAccess,
  repository: Repository,
  file: string,
): Promise<FileSource> {
  const { fileDownloadInfo } = await client();
  const info = await fileDownloadInfo({ ...common(access, repository), path: pathOf(file) });
  if (info === null) throw new Error(`"${file}" is not there.`);
  return { url: info.url, etag: bareEtag(info.etag), bytes: info.size };
}

/** An etag without the signs around it. */
export function bareEtag(etag: string): string {
  return etag.replace(/^W\//, "").replaceAll('"', "");
}

/** A file where it lies: only what is asked for is read. Throws `HubError`, also while it is read. */
export async function openHubFile(access: HubAccess, repository: Repository, file: string): Promise<Blob> {
  const { downloadFile } = await client();
  const blob = await downloadFile({ ...common(access, repository), path: pathOf(file), xet: false });
  if (blob === null) throw new Error(`"${file}" is not there.`);
  return blob;
}

/** Names may hold signs that mean something else in an address. */
function pathOf(file: string): string {
  return file.split("/").map(encodeURIComponent).join("/");
}

/** Uploads files into a repository, which is made if it is not there. Throws `HubError`; answers with its address. */
export async function uploadToHub(
  access: HubAccess,
  files: readonly { readonly name: string; readonly bytes: FileBytes }[],
  { repo, isPrivate }: { readonly repo: string; readonly isPrivate: boolean },
): Promise<string> {
  const { accessToken } = access.credentials();
  if (accessToken === undefined)
    refuse("CFG-1", "An upload needs an access token that may write: enter one under Models.");
  const { createRepo, uploadFiles } = await client();
  const shared = { repo: { type: "model", name: repo }, accessToken, hubUrl: access.hubUrl() } as const;
  try {
    await createRepo({
      ...shared,
      fetch: access.fetch,
      visibility: isPrivate ? "private" : "public",
    });
  } catch (error) {
    // It is there already.
    if (!(error instanceof HubError) || error.status !== 409) throw error;
  }
  await uploadFiles({
    ...shared,
    fetch: access.fetch,
    files: files.map(({ name, bytes }) => ({
      path: name,
      content: bytes instanceof Blob ? bytes : new Blob([bytes as Uint8Array<ArrayBuffer>]),
    })),
    commitTitle: "Upload from Prefscope",
  });
  return `${access.hubUrl()}/${repo}`;
}
