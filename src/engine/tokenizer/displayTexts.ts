/** What a decoder writes for bytes that are not (yet) a character. */
const UNFINISHED = "\uFFFD";

/**
 * Text that each id adds, given a decoder of whole lists; joined they are the decoded text. Ids inside a character of
 * several tokens give "" until the character is complete. Only a short window is decoded again for each id.
 */
export function displayTexts(
  decode: (ids: number[]) => string,
  ids: readonly number[],
  context: readonly number[],
): string[] {
  const all = [...context, ...ids];
  let windowStart = 0;
  let shownEnd = context.length;
  return ids.map((_, index) => {
    const end = context.length + index + 1;
    const shown = decode(all.slice(windowStart, shownEnd));
    const text = decode(all.slice(windowStart, end));
    if (text.endsWith(UNFINISHED) && end < all.length) return "";
    const added = text.slice(shown.length);
    // A window of no text would lose the space that decoders strip from a beginning.
    if (text.length > shown.length) windowStart = shownEnd;
    shownEnd = end;
    return added;
  });
}
