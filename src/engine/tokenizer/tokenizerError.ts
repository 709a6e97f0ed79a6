/** A tokenizer or chat template that cannot be used; the message names the field and what was expected. */
export class TokenizerError extends Error {
  override name = "TokenizerError";
}
