import type { Text } from "../row.ts";

/** Numbers that are equal for equal texts, so that pairs are compared without laying their texts together. */
export function createTextNumbers(): (text: Text) => number {
  const numbers = new Map<string, number>();
  return (text) => {
    // No plain text is mixed up with messages: those begin with a character of their own.
    const key =
      typeof text === "string"
        ? `"${text}`
        : JSON.stringify(text.map(({ role, content }) => [role, content]));
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  };
}
