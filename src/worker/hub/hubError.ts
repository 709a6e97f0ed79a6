/** What can go wrong between here and a Hub, each in a sentence that says what to do. */
import { StudioError } from "../errorReport.ts";
import type { MessageCode } from "../protocol.ts";

/** What was asked for: a file of a repository, or what the Hub says about it. */
export interface HubSubject {
  readonly host: string;
  /** Empty where no repository was asked for. */
  readonly repo: string;
  /** Null where it was about the repository itself. */
  readonly file: string | null;
}

/** A question that a Hub did not answer. */
export class HubError extends StudioError {
  override name = "HubError";
  /** Null where there was no answer. */
  readonly status: number | null;
  /** Whether the same question may be answered later. */
  readonly isPassing: boolean;
  /** How long the Hub asks to wait; null where it does not say. */
  readonly waitMs: number | null;

  constructor(
    message: string,
    subject: HubSubject,
    { status = null, isPassing = false, waitMs = null, code = "NET-1" }: HubErrorOptions = {},
  ) {
    const { host, repo, file } = subject;
    super(code, message, { host, repo, file: file ?? "", ...(status === null ? {} : { status }) });
    this.status = status;
    this.isPassing = isPassing;
    this.waitMs = waitMs;
  }
}

interface HubErrorOptions {
  readonly status?: number | null;
  readonly isPassing?: boolean;
  readonly waitMs?: number | null;
  readonly code?: MessageCode;
}

const MS_PER_SECOND = 1000;

function nameOf({ repo, file }: HubSubject): string {
  if (file !== null) return `"${file}"`;
  return repo === "" ? "The answer" : `"${repo}"`;
}

/** The browser knows that it has no connection. */
export function offline(subject: HubSubject): HubError {
  return new HubError(
    `${nameOf(subject)} could not be downloaded from ${subject.host}: this browser is offline. Connect, then try again.`,
    subject,
  );
}

/** Nobody answered, or the browser does not say what was answered. */
export function unanswered(subject: HubSubject): HubError {
  return new HubError(
    `${nameOf(subject)} could not be downloaded: ${subject.host} gave no answer that this page may read. ` +
      "Either the connection is down, or the host does not let other pages read it (CORS). Check both, then try again.",
    subject,
    { isPassing: true },
  );
}

/** The connection broke while bytes came. */
export function brokenOff(
  subject: HubSubject,
  came?: { readonly doneBytes: number; readonly totalBytes: number },
): HubError {
  const kept =
    came === undefined
      ? "Try again."
      : `${inMegabytes(came.doneBytes)} of ${inMegabytes(came.totalBytes)} are kept: try again to go on.`;
  return new HubError(
    `The connection to ${subject.host} broke while ${nameOf(subject)} came. ${kept}`,
    subject,
    { isPassing: true },
  );
}

/** A size for people, exact where it is small. */
export function inMegabytes(bytes: number): string {
  return bytes < 1e6 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The host sends whole files only, so that a download could not go on where it stopped. */
export function wholeOnly(subject: HubSubject): HubError {
  return new HubError(
    `${subject.host} sent something else than the part of ${nameOf(subject)} that was asked for. ` +
      "Download the file another way, and open it from the disk.",
    subject,
  );
}

/** The error of an answer that is a refusal. */
export function refusal(response: Response, subject: HubSubject, hasToken: boolean): HubError {
  const { status, headers } = response;
  const isPassing = status === 408 || status === 429 || status >= 500;
  const waitMs = retryAfter(headers.get("retry-after"));
  const code = headers.get("x-error-code") ?? "";
  return new HubError(refusalText({ status, code, waitMs, hasToken }, subject), subject, {
    status,
    isPassing,
    waitMs,
  });
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly waitMs: number | null;
  readonly hasToken: boolean;
}

function refusalText({ status, code, waitMs, hasToken }: Refusal, subject: HubSubject): string {
  const { host, repo, file } = subject;
  const what = nameOf(subject);
  if (code === "GatedRepo") {
    const token = hasToken
      ? "The token given here may not read it yet."
      : "Then enter a token of your account.";
    return `${what} could not be downloaded (${status}): "${repo}" is gated. Accept its licence at https://${host}/${repo}. ${token}`;
  }
  if (status === 401)
    return (
      `${host} did not give ${what} (401). ` +
      (hasToken
        ? "It does not know the token: enter another one."
        : `There is no "${repo}", or it is private: check the name, or enter a token that may read it.`)
    );
  if (status === 403)
    return `${host} did not give ${what} (403): the token may not do this. Enter another one.`;
  if (status === 404)
    return file === null
      ? `"${repo}" could not be found on ${host} (404). Check the name and the revision.`
      : `${what} could not be downloaded (404): "${repo}" on ${host} has no such file.`;
  if (status === 429) {
    const wait = waitMs === null ? "a while" : `${Math.ceil(waitMs / MS_PER_SECOND)} s`;
    return `${host} has had too many questions from here (429). Wait ${wait}, then try again.`;
  }
  return `${host} could not give ${what} (${status}). Try again later.`;
}

/** Milliseconds of a `Retry-After` in seconds; null where it is a date or missing. */
function retryAfter(value: string | null): number | null {
  const seconds = Number.parseFloat(value ?? "");
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * MS_PER_SECOND : null;
}
