import { harmless } from "./harmless.ts";
import { helpful } from "./helpful.ts";
import type { Judge } from "./judge.ts";
import { kindEndings } from "./kindEndings.ts";

/** Every judge, by the key that configurations use. */
export const judges = { kindEndings, helpful, harmless } as const satisfies Record<string, Judge>;
