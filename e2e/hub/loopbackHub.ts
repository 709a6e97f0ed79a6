/** What a loopback Hub holds, what is asked of it, and what goes wrong on demand. */
import type { ServerResponse } from "node:http";

/** A repository with its files by path. */
export interface HubRepository {
  readonly kind: "model" | "dataset";
  readonly files: Map<string, Uint8Array>;
  readonly license?: string;
  /** Files are given only to those who bring the Hub's token. */
  readonly isGated?: boolean;
  /** Not even its name is told to those who bring no token. */
  readonly isPrivate?: boolean;
}

/** What goes wrong, with requests whose path contains `path`. */
export interface HubFault {
  readonly path: string;
  /**
   * `cut`: the connection breaks after half of what was asked for. `short`: fewer bytes come than were announced for the range,
   * without an error. `stall`: half comes, then nothing. `damaged`: the last byte is another one. `whole`: ranges are ignored. `noCors`: no other page may read it.
   */
  readonly kind: "cut" | "stall" | "short" | "damaged" | "whole" | "noCors" | "status";
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests that go well before it happens. */
  after?: number;
  /** How often; without it, always. */
  times?: number;
}

/** A request as it came. */
export interface HubRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | null;
  readonly authorization: string | null;
}

/** The Hub, while it runs. */
export interface LoopbackHub {
  readonly url: string;
  readonly repositories: Map<string, HubRepository>;
  /** Faults that are still to come. */
  readonly faults: HubFault[];
  readonly requests: HubRequest[];
  readonly close: () => Promise<void>;
}

/** The one token that opens what is gated or private. */
export const hubToken = "hf_loopback";
/** The commit that every branch of every repository is at. */
export const hubCommit = "0123456789abcdef0123456789abcdef01234567";
/** Files of at least so many bytes are large ones, which have a SHA-256. */
export const LARGE_BYTES = 1000;

/** Answers with JSON. */
export function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}
