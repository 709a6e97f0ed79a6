import { gemmaScope1 } from "./gemmaScope1.ts";
import { gemmaScope2 } from "./gemmaScope2.ts";
import type { SaeLayout } from "./layout.ts";
import { saeLens } from "./saeLens.ts";

/** Every layout; the first that matches the files is taken. */
export const layouts: readonly SaeLayout[] = [saeLens, gemmaScope2, gemmaScope1];
