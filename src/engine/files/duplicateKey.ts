/** A string literal, or one of the marks that give JSON its structure. */
const JSON_MARK = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/**
 * The first key that one object of a JSON text holds twice, or null; `JSON.parse` would keep the last silently.
 * The text must already have been parsed without an error.
 */
export function findDuplicateKey(jsonText: string): string | null {
  const open: (Set<string> | null)[] = [];
  let lastString: string | null = null;
  for (const [mark] of jsonText.matchAll(JSON_MARK)) {
    if (mark === "{") open.push(new Set());
    else if (mark === "[") open.push(null);
    else if (mark === "}" || mark === "]") open.pop();
    else if (mark === ":" && lastString !== null) {
      const keys = open.at(-1);
      const key: unknown = JSON.parse(lastString);
      if (keys && typeof key === "string") {
        if (keys.has(key)) return key;
        keys.add(key);
      }
    }
    lastString = mark.startsWith('"') ? mark : null;
  }
  return null;
}
