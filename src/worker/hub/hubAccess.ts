/** The way to a Hub: which one, with which token, again where it is worth it, and what to say when there is no answer. */
import { refuse } from "../errorReport.ts";
import { brokenOff, HubError, offline, refusal, unanswered, wholeOnly, type HubSubject } from "./hubError.ts";

/** The world outside, so that tests can stand in for it. */
export interface HubDoor {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly isOffline: () => boolean;
  /** Settles after so long, and rejects when the signal says so. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Milliseconds. */
  readonly now: () => number;
  /** Bytes of a file that are asked for, and held in memory, at a time. */
  readonly rangeBytes: number;
}

/** Which Hub is asked. */
export interface HubAccess {
  /** Refuses an address that is none. A token is kept in memory only. */
  readonly set: (settings: { readonly hubUrl: string; readonly token: string | null }) => void;
  readonly hubUrl: () => string;
  readonly host: () => string;
  /** For the client: who asks. */
  readonly credentials: () => { readonly accessToken?: string };
  /** One try, checked: throws `HubError` for everything but a success. */
  readonly open: typeof fetch;
  /** As `open`, with the whole body, and again while it is worth it. Only reading is tried again. */
  readonly fetch: typeof fetch;
}

/** Where models come from unless something else is said. */
export const defaultHub = "https://huggingface.co";

/** Waits before each further try. */
const backoffMs = [500, 1500, 4000, 8000];
/** A Hub that asks for a longer wait is not waited for. */
const LONGEST_WAIT_MS = 30_000;

/** The browser's own door. */
export const browserDoor: HubDoor = {
  fetch: (url, init) => fetch(url, init),
  isOffline: () => !navigator.onLine,
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    }),
  now: () => performance.now(),
  rangeBytes: 8 << 20,
};

/**
 * Does something again while it fails in a way that may pass, with growing waits or those that the Hub asks for.
 * `hasMoved` says whether the last try came further: then the count begins anew.
 */
export async function again<Answer>(
  door: Pick<HubDoor, "wait">,
  work: () => Promise<Answer>,
  { hasMoved = () => false, signal }: { hasMoved?: () => boolean; signal?: AbortSignal } = {},
): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HubError) || !error.isPassing) throw error;
      if (hasMoved()) tries = 0;
      const wait = error.waitMs ?? backoffMs[tries];
      if (tries >= backoffMs.length || wait === undefined || wait > LONGEST_WAIT_MS) throw error;
      await door.wait(wait, signal);
    }
  }
}

/** Access to the default Hub, without a token. */
export function createHubAccess(door: HubDoor = browserDoor): HubAccess {
  let hubUrl = defaultHub;
  let token: string | null = null;
  const open: typeof fetch = async (request, init) => {
    const url = request instanceof Request ? request.url : request.toString();
    const subject = subjectOf(url, hubUrl);
    if (door.isOffline()) throw offline(subject);
    let response: Response;
    try {
      response = await door.fetch(url, withoutStrangers(url, hubUrl, init));
    } catch {
      init?.signal?.throwIfAborted();
      throw unanswered(subject);
    }
    if (!response.ok) throw refusal(response, subject, token !== null);
    return response;
  };
  const whole = async (request: string | URL | Request, init?: RequestInit) => {
    const response = await open(request, init);
    const subject = subjectOf(request instanceof Request ? request.url : request.toString(), hubUrl);
    const hasRange = new Headers(init?.headers).has("range");
    const isOther = response.headers.get("content-type")?.includes("application/vnd.xet-fileinfo+json");
    if (hasRange && response.status !== 206 && isOther !== true) throw wholeOnly(subject);
    const body = await response.arrayBuffer().catch(() => {
      init?.signal?.throwIfAborted();
      throw brokenOff(subject);
    });
    const range = contentRange(response);
    if (range !== null && body.byteLength !== range.end - range.begin) throw brokenOff(subject);
    return new Response(body, { status: response.status, headers: response.headers });
  };
  return {
    set: (settings) => {
      const asked = checkedUrl(settings.hubUrl);
      const given = settings.token?.trim() ?? "";
      if (given !== "" && !given.startsWith("hf_"))
        refuse(
          "CFG-1",
          'An access token of the Hub begins with "hf_". Copy it again from the settings there.',
        );
      hubUrl = asked;
      token = given === "" ? null : given;
    },
    hubUrl: () => hubUrl,
    host: () => new URL(hubUrl).host,
    credentials: () => (token === null ? {} : { accessToken: token }),
    open,
    fetch: (request, init) =>
      (init?.method ?? "GET") === "GET" ? again(door, () => whole(request, init)) : whole(request, init),
  };
}

/** First byte, the byte behind the last, and the bytes of the whole file; null where the host does not let the page read it. */
export function contentRange(
  response: Response,
): { readonly begin: number; readonly end: number; readonly total: number } | null {
  const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (found === null) return null;
  return { begin: Number(found[1]), end: Number(found[2]) + 1, total: Number(found[3]) };
}

function checkedUrl(text: string): string {
  const trimmed = text.trim().replace(/\/+$/, "");
  if (trimmed === "") return defaultHub;
  const url = URL.canParse(trimmed) ? new URL(trimmed) : null;
  // It is not repeated: it may hold a token.
  if (url === null || !/^https?:$/.test(url.protocol))
    refuse("CFG-1", `This is not the address of a Hub: it has to look like ${defaultHub}.`);
  if ([url.username, url.password, url.search, url.hash].some((part) => part !== ""))
    refuse(
      "CFG-1",
      `The address of a Hub has no name, password or question in it, only ${url.origin} and a path. A token has a field of its own.`,
    );
  return trimmed;
}

/** The token goes to the Hub, and to nobody else. */
function withoutStrangers(url: string, hubUrl: string, init: RequestInit = {}): RequestInit {
  if (new URL(url).origin === new URL(hubUrl).origin) return init;
  const headers = new Headers(init.headers);
  headers.delete("authorization");
  return { ...init, headers };
}

/** What an address of a Hub is about. */
function subjectOf(url: string, hubUrl: string): HubSubject {
  const { host, pathname } = new URL(url);
  const base = new URL(hubUrl).pathname.replace(/\/$/, "");
  const path = decodeURIComponent(pathname.startsWith(base) ? pathname.slice(base.length) : pathname);
  const file = /^\/(?:datasets\/)?([^/]+(?:\/[^/]+)?)\/(?:resolve|raw)\/[^/]+\/(.+)$/.exec(path);
  if (file !== null) return { host, repo: file[1] ?? "", file: file[2] ?? "" };
  const api = /^\/api\/(?:model|dataset)s\/(.+?)\/(?:revision|tree|preupload|commit)\//.exec(path);
  const batch = /^\/(.+)\.git\/info\/lfs\//.exec(path);
  return { host, repo: api?.[1] ?? batch?.[1] ?? "", file: null };
}
