/** The loopback Hub's way in: a repository is made, files are announced, large ones come first, then the commit. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hubToken, LARGE_BYTES, sendJson, type LoopbackHub } from "./loopbackHub.ts";

const uploaded = new WeakMap<LoopbackHub["repositories"], Map<string, Uint8Array>>();

interface Commit {
  readonly key: string;
  readonly value: {
    readonly path: string;
    readonly content?: string;
    readonly encoding?: "base64";
    readonly oid?: string;
  };
}

/** Answers what belongs to an upload; false for everything else. */
export async function answerUpload(
  request: IncomingMessage,
  response: ServerResponse,
  { repositories }: Pick<LoopbackHub, "repositories">,
): Promise<boolean> {
  if (request.method !== "POST" && request.method !== "PUT") return false;
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://hub").pathname);
  const body = await bodyOf(request);
  const large = uploaded.get(repositories) ?? new Map<string, Uint8Array>();
  uploaded.set(repositories, large);
  if (request.method === "PUT") {
    large.set(path.slice("/lfs/".length), body);
    response.writeHead(200).end();
  } else if (request.headers.authorization !== `Bearer ${hubToken}`) response.writeHead(401).end();
  else if (path === "/api/repos/create") create(body, response, repositories);
  else if (path.includes("/preupload/")) sendJson(response, uploadModes(body));
  else if (path.endsWith("/info/lfs/objects/batch")) {
    sendJson(response, { transfer: "basic", objects: actionsOf(body, `http://${request.headers.host}`) });
  } else commit({ path, body, large }, response, repositories);
  return true;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function create(body: Buffer, response: ServerResponse, repositories: LoopbackHub["repositories"]): void {
  const { name, organization, visibility } = JSON.parse(body.toString()) as Record<string, string>;
  const id = `${organization}/${name}`;
  if (repositories.has(id)) {
    response.writeHead(409, { "content-type": "application/json" }).end('{"error":"You already created it"}');
    return;
  }
  repositories.set(id, { kind: "model", files: new Map(), isPrivate: visibility === "private" });
  sendJson(response, { url: `http://hub/${id}`, id });
}

function uploadModes(body: Buffer) {
  const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number }[] };
  return {
    files: files.map(({ path, size }) => ({ path, uploadMode: size < LARGE_BYTES ? "regular" : "lfs" })),
  };
}

function actionsOf(body: Buffer, url: string) {
  const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] };
  return objects.map(({ oid, size }) => ({
    oid,
    size,
    actions: { upload: { href: `${url}/lfs/${oid}`, header: {} } },
  }));
}

interface CommitRequest {
  readonly path: string;
  readonly body: Buffer;
  readonly large: ReadonlyMap<string, Uint8Array>;
}

function commit(
  { path, body, large }: CommitRequest,
  response: ServerResponse,
  repositories: LoopbackHub["repositories"],
): void {
  const name = /^\/api\/models\/(.+)\/commit\//.exec(path)?.[1] ?? "";
  const files = repositories.get(name)?.files;
  if (files === undefined) {
    response.writeHead(404).end();
    return;
  }
  for (const line of body.toString().trim().split("\n")) {
    const { key, value } = JSON.parse(line) as Commit;
    if (key === "file") files.set(value.path, Buffer.from(value.content ?? "", "base64"));
    if (key === "lfsFile") files.set(value.path, large.get(value.oid ?? "") ?? new Uint8Array());
  }
  sendJson(response, { commitOid: "1", commitUrl: `http://hub/${name}/commit/1`, hookOutput: "" });
}
