/** Ids of what is on the Hub: `hub:<repo>@<revision>` and `hub:<repo>@<revision>#<file>`; data sets may have no revision. */
import { refuse } from "../errorReport.ts";

/** What an id names. */
export interface HubId {
  readonly repo: string;
  readonly revision: string;
  /** Null for the full weights of a model. */
  readonly file: string | null;
}

const DEFAULT_REVISION = "main";

/** The name of a repository as it is typed or pasted: `owner/name`, also with the address before it. Refuses anything else. */
export function repositoryName(text: string, hubUrl: string): string {
  const name = text
    .trim()
    .replace(hubUrl, "")
    .replace(/^https?:\/\/[^/]+/, "")
    .replace(/^\/?(?:datasets\/)?/, "")
    .replace(/\/(?:tree|blob|resolve)\/.*$/, "")
    .replace(/\/+$/, "");
  if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(name) || name.includes(".."))
    refuse(
      "CFG-1",
      `"${text}" is not the name of a repository: it has to look like "HuggingFaceTB/SmolLM2-135M-Instruct".`,
    );
  return name;
}

/** Reads an id; refuses what is none. What follows a `?` is not part of it. */
export function parseHubId(id: string): HubId {
  const parts = /^hub:([\w.-]+(?:\/[\w.-]+)?)(?:@([^#?]+))?(?:#([^?]+))?(?:\?.*)?$/.exec(id);
  const [, repo = "", revision = DEFAULT_REVISION, file = null] = parts ?? [];
  if (
    parts === null ||
    file?.split("/").some((part) => part === "" || part === "." || part === "..") === true
  )
    refuse("CFG-1", `"${id}" names nothing on the Hub.`);
  return { repo, revision, file };
}

/** Writes an id. */
export function hubId({ repo, revision, file }: HubId): string {
  return `hub:${repo}@${revision}${file === null ? "" : `#${file}`}`;
}
