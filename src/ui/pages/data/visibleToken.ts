/** Tokens as they can be seen: a space at the edge and a line's end have a sign of their own. */

/** A token's text with spaces and line ends in sight. */
export function visibleToken(token: string): string {
  if (token === "") return "∅";
  return token.replaceAll("\n", "⏎\n").replaceAll("\t", "⇥").replace(/^ | $/g, "·");
}

/** Whether a token is a special one by its name, such as `<s>`, `<|im_end|>` or `[PAD]`. */
export function isSpecial(token: string): boolean {
  return /^(<[^\s<>]+>|\[[A-Z_]+\])$/.test(token);
}
