/** A Hub on this machine's loopback: what the client asks of Hugging Face's, with failures on demand. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  hubCommit,
  hubToken,
  LARGE_BYTES,
  sendJson,
  type HubFault,
  type HubRepository,
  type HubRequest,
  type LoopbackHub,
} from "./loopbackHub.ts";
import { answerUpload } from "./hubUploads.ts";

const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, OPTIONS",
  "access-control-allow-headers": "authorization, range, content-type",
  "access-control-expose-headers":
    "X-Repo-Commit, X-Request-Id, X-Error-Code, X-Error-Message, ETag, Link, Accept-Ranges, Content-Range, Retry-After, X-Linked-Size, X-Linked-ETag",
};

/** Starts a Hub on any free port. */
export async function startHub(repositories: Readonly<Record<string, HubRepository>>): Promise<LoopbackHub> {
  const state = {
    repositories: new Map(Object.entries(repositories)),
    faults: [] as HubFault[],
    requests: [] as HubRequest[],
  };
  const server = createServer((request, response) => void answer(request, response, state));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { ...state, url: `http://127.0.0.1:${port}`, close };
}

type HubState = Pick<LoopbackHub, "repositories" | "faults" | "requests">;

async function answer(request: IncomingMessage, response: ServerResponse, state: HubState): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://hub");
  const path = decodeURIComponent(pathname);
  const header = (name: string) => request.headers[name]?.toString() ?? null;
  const method = request.method ?? "GET";
  const asked = { method, path, range: header("range"), authorization: header("authorization") };
  const fault = method === "OPTIONS" ? undefined : nextFault(state.faults, path);
  const hasCors = !state.faults.some((each) => each.kind === "noCors" && path.includes(each.path));
  for (const [name, value] of Object.entries(hasCors ? corsHeaders : {})) response.setHeader(name, value);
  if (method === "OPTIONS") {
    response.writeHead(204).end();
    return;
  }
  state.requests.push(asked);
  if (fault?.kind === "status") {
    response.writeHead(fault.status ?? 500, fault.headers).end("refused on demand");
    return;
  }
  if (await answerUpload(request, response, state)) return;
  answerQuestion(asked, response, { state, fault });
}

/** A fault begins after so many requests that it is about, and is used up when it has happened often enough. */
function nextFault(faults: HubFault[], path: string): HubFault | undefined {
  const fault = faults.find((each) => path.includes(each.path) && (each.times ?? 1) > 0);
  if (fault === undefined) return undefined;
  if ((fault.after ?? 0) > 0) {
    fault.after! -= 1;
    return undefined;
  }
  if (fault.times !== undefined) fault.times -= 1;
  return fault;
}

interface Circumstances {
  readonly state: HubState;
  readonly fault: HubFault | undefined;
}

function answerQuestion(asked: HubRequest, response: ServerResponse, { state, fault }: Circumstances): void {
  const api = /^\/api\/(?:model|dataset)s\/(.+?)\/(revision|tree)\/[^/]+$/.exec(asked.path);
  const file = /^\/(?:datasets\/)?([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(asked.path);
  const name = api?.[1] ?? file?.[1] ?? "";
  const repository = state.repositories.get(name);
  const isKnown = asked.authorization === `Bearer ${hubToken}`;
  const refuse = (status: number, code: string) =>
    void response.writeHead(status, { "x-error-code": code, "content-type": "application/json" }).end("{}");
  if (repository === undefined || (repository.isPrivate === true && !isKnown)) {
    // Whoever brings no token is not told whether there is such a repository.
    refuse(asked.authorization === null ? 401 : 404, "RepoNotFound");
  } else if (api?.[2] === "revision") sendJson(response, infoOf(name, repository));
  else if (api?.[2] === "tree") sendJson(response, treeOf(repository));
  else if (repository.isGated === true && !isKnown) {
    refuse(asked.authorization === null ? 401 : 403, "GatedRepo");
  } else {
    const bytes = repository.files.get(file?.[2] ?? "");
    if (bytes === undefined) refuse(404, "EntryNotFound");
    else sendFile(asked, response, { bytes, fault });
  }
}

function infoOf(name: string, repository: HubRepository) {
  const { license, isGated = false, isPrivate = false } = repository;
  return {
    _id: name,
    id: name,
    sha: hubCommit,
    private: isPrivate,
    gated: isGated ? "manual" : false,
    downloads: 0,
    likes: 0,
    lastModified: "2026-01-01T00:00:00.000Z",
    cardData: license === undefined ? {} : { license },
  };
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
/** As Git names a file's content. */
const gitSha1 = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

function treeOf({ files }: HubRepository) {
  return [...files].map(([path, bytes]) => ({
    type: "file",
    path,
    size: bytes.length,
    oid: gitSha1(bytes),
    ...(bytes.length < LARGE_BYTES
      ? {}
      : { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 } }),
  }));
}

interface SentFile {
  readonly bytes: Uint8Array;
  readonly fault: HubFault | undefined;
}

function sendFile(asked: HubRequest, response: ServerResponse, { bytes, fault }: SentFile): void {
  const range = fault?.kind === "whole" ? null : /^bytes=(\d+)-(\d+)$/.exec(asked.range ?? "");
  const begin = Number(range?.[1] ?? 0);
  const end = Math.min(Number(range?.[2] ?? bytes.length) + 1, bytes.length);
  const part = Uint8Array.from(bytes.subarray(begin, end));
  if (fault?.kind === "damaged" && end === bytes.length) part[part.length - 1]! ^= 1;
  const half = part.subarray(0, part.length >> 1);
  response.writeHead(range === null ? 200 : 206, {
    "accept-ranges": "bytes",
    "content-length": fault?.kind === "short" ? half.length : part.length,
    "content-type": "application/octet-stream",
    etag: `"${bytes.length < LARGE_BYTES ? gitSha1(bytes) : sha256(bytes)}"`,
    "x-repo-commit": hubCommit,
    ...(range === null ? {} : { "content-range": `bytes ${begin}-${end - 1}/${bytes.length}` }),
  });
  if (asked.method === "HEAD") response.end();
  else sendBody(response, { part, half, fault });
}

interface Body {
  readonly part: Uint8Array;
  readonly half: Uint8Array;
  readonly fault: HubFault | undefined;
}

function sendBody(response: ServerResponse, { part, half, fault }: Body): void {
  if (fault?.kind === "cut") response.write(half, () => setTimeout(() => response.destroy(), 5));
  else if (fault?.kind === "stall") response.write(half);
  else response.end(fault?.kind === "short" ? half : part);
}
