/** Where two texts part. */

/** A text in the part that another begins with as well, and the part from which on they differ. */
export interface PartedText {
  readonly shared: string;
  readonly own: string;
}

/** Both texts, parted at the first word that differs. */
export function partTexts(first: string, second: string): readonly [PartedText, PartedText] {
  const words = (text: string) => text.match(/\s*\S+|\s+$/g) ?? [];
  const [left, right] = [words(first), words(second)];
  let count = 0;
  while (count < left.length && left[count] === right[count]) count += 1;
  const part = (parts: readonly string[]) => ({
    shared: parts.slice(0, count).join(""),
    own: parts.slice(count).join(""),
  });
  return [part(left), part(right)];
}
