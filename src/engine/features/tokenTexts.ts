/** Tokens as a person reads them. */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** The part of a tokenizer that turns ids into text. */
export type TokenDecoder = Pick<Tokenizer, "decodeTokens">;

/** What is shown where an id has no text of its own: a special token, or a part of a character. */
const unfinished = "\uFFFD";

/** Text that one id adds to a text, its leading space kept; `<id>` where it has none of its own. */
export function tokenText(decoder: TokenDecoder, id: number): string {
  // After itself, because decoders strip the space from a beginning.
  const text = decoder.decodeTokens([id], { after: [id] }).join("");
  return text === "" || text.includes(unfinished) ? `<${id}>` : text;
}
