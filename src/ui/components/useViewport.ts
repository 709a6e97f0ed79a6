import { useSyncExternalStore } from "react";

/** Width classes of the layout: three columns, two, one, phone. */
export type Viewport = "wide" | "medium" | "narrow" | "phone";

const queries: readonly (readonly [Viewport, string])[] = [
  ["wide", "(min-width: 1200px)"],
  ["medium", "(min-width: 900px)"],
  ["narrow", "(min-width: 600px)"],
];

/** The width class of the window now. */
export function useViewport(): Viewport {
  return useSyncExternalStore(subscribe, read);
}

function read(): Viewport {
  return queries.find(([, query]) => window.matchMedia(query).matches)?.[0] ?? "phone";
}

function subscribe(listener: () => void): () => void {
  const lists = queries.map(([, query]) => window.matchMedia(query));
  for (const list of lists) list.addEventListener("change", listener);
  return () => {
    for (const list of lists) list.removeEventListener("change", listener);
  };
}
