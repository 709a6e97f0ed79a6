import { TokenizerError } from "./tokenizerError.ts";

/** Ids beyond the number of tokens that a file may leave out; more are taken for damage. */
const LARGEST_GAP = 65_536;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Refuses a tokenizer.json whose ids are no whole numbers, or so large that tables of them would not fit into memory.
 * Throws `TokenizerError` that names the token.
 */
export function checkIds(tokenizerJson: Readonly<Record<string, unknown>>): void {
  const { model, added_tokens: added } = tokenizerJson;
  const vocabulary = isRecord(model) && isRecord(model["vocab"]) ? Object.entries(model["vocab"]) : [];
  const more = (Array.isArray(added) ? added : [])
    .filter(isRecord)
    .map((token) => [String(token["content"]), token["id"]] as const);
  const listed = isRecord(model) && Array.isArray(model["vocab"]) ? model["vocab"].length : 0;
  const limit = vocabulary.length + listed + more.length + LARGEST_GAP;
  for (const [token, id] of [...vocabulary, ...more]) {
    if (Number.isInteger(id) && Number(id) >= 0 && Number(id) < limit) continue;
    throw new TokenizerError(
      `tokenizer.json: the id of ${JSON.stringify(token)} is ${JSON.stringify(id)}, expected a whole number below ${limit}.`,
    );
  }
}
