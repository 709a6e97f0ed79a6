/** Where a language model that judges is, as it was typed in: checked, and without what must not be told. */
import { isLoopback, isOpen } from "../../engine/judges/endpointWay.ts";
import { refuse } from "../errorReport.ts";
import type { EndpointSummary, JudgeEndpoint } from "../protocol.ts";

const LONGEST_ADDRESS = 2000;
const LONGEST_RUBRIC = 20_000;
/** A shorter key, such as "none" or "ollama", is a word that a server without keys is given. */
const SHORTEST_SECRET = 12;
const ROUTE = "/chat/completions";
/** What a header can carry. */
const HEADER_TEXT = /^[\x21-\x7e]*$/;

/** The endpoint as it is used: spaces around what was typed and a route behind the address are left out. Refuses what cannot be asked; no refusal quotes what was typed. */
export function checkedEndpoint(typed: JudgeEndpoint): JudgeEndpoint {
  const [url, model, key] = [typed.url.trim(), typed.model.trim(), typed.key.trim()];
  const { rubric } = typed;
  if (url.length > LONGEST_ADDRESS || !URL.canParse(url)) {
    refuse("CFG-1", "The endpoint's address is none: type one such as http://localhost:11434/v1.");
  }
  const { protocol, username, password, search, hash } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    refuse("CFG-1", "The endpoint's address begins neither with http:// nor with https://.");
  }
  if (username + password + search + hash !== "") {
    refuse(
      "CFG-1",
      "The endpoint's address holds a name, a question mark or a #: type the address alone, and a secret into its own field.",
    );
  }
  if (model === "") refuse("CFG-1", "The endpoint needs the name of a model.");
  if (!HEADER_TEXT.test(key)) {
    refuse("CFG-1", "The endpoint's key holds a space or a character that no key has: copy it again.");
  }
  if (rubric.trim() === "") refuse("CFG-1", "The endpoint needs a rubric: say what makes an answer good.");
  if (rubric.length > LONGEST_RUBRIC) {
    refuse("CFG-1", `The rubric has ${rubric.length} characters; at most ${LONGEST_RUBRIC} are sent.`);
  }
  const parts = [url, model, rubric];
  if (key.length >= SHORTEST_SECRET && parts.some((part) => part.includes(key))) {
    refuse(
      "CFG-1",
      "The endpoint's key also stands in another field, where it would be shown: leave it out there.",
    );
  }
  const bare = url.replace(/\/+$/, "");
  return { url: bare.endsWith(ROUTE) ? bare.slice(0, -ROUTE.length) : bare, model, key, rubric };
}

/** Where an endpoint is asked. */
export function routeOf({ url }: Pick<JudgeEndpoint, "url">): string {
  return `${url}${ROUTE}`;
}

/** What the page shows of an endpoint: everything but the secret. */
export function endpointSummary({ url, model, key, rubric }: JudgeEndpoint): EndpointSummary {
  const { host } = new URL(url);
  const secret = key === "" ? "" : " Your key goes along in the Authorization header, and nowhere else.";
  const open = isOpen(url) ? " The address begins with http: others on the way can read all of this." : "";
  const here = isLoopback(url) ? " on this machine, which it does not leave" : "";
  const sends = `Sent to ${host}${here}, one request for each answer: your rubric, the prompt and the answer, as text.${secret}${open}`;
  return { url, model, rubric, hasKey: key !== "", sends };
}
