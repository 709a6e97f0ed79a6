import type { SaeLayout } from "./layout.ts";
import { saeLens } from "./saeLens.ts";

/** Every layout; the first that matches the files is taken. */
export const layouts: readonly SaeLayout[] = [saeLens];
