import type { PairFormat } from "./pairFormat.ts";
import { trlPreference } from "./trlPreference.ts";

/** Every dataset layout that can be read; the first whose columns a row has reads it. */
export const pairFormats = { trlPreference } satisfies Record<string, PairFormat>;
