/** Line icons of the studio; always beside a word or inside a button that has a name. */
const paths = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  step: "M5 5v14l9-7zM16 5h3v14h-3z",
  stop: "M6 6h12v12H6z",
  restart: "M4 12a8 8 0 1 0 2.6-5.9M4 4v5h5",
  save: "M12 4v11m0 0-4.5-4.5M12 15l4.5-4.5M5 19h14",
  share: "M12 15V4m0 0L7.5 8.5M12 4l4.5 4.5M6 12v8h12v-8",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18z",
  help: "M9.2 9a2.9 2.9 0 1 1 4.2 2.6c-.9.5-1.4 1-1.4 2.1M12 17.2v.1",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  close: "M6 6l12 12M18 6 6 18",
  reset: "M5 12a7 7 0 1 0 2-4.9M5 5v4h4",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  error: "M12 7.5v5.5M12 16.4v.1M12 3 2.5 20h19z",
  info: "M12 11v6M12 7.6v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  check: "M5 12.5 10 17l9-10",
  settings: "M4 7h10M18 7h2M4 17h4M12 17h8M16 4.5v5M10 14.5v5",
  book: "M5 4h9a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h9",
  external: "M9 5H5v14h14v-4M13 4h7v7M20 4l-9 9",
  table: "M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9",
  chevron: "M6 9l6 6 6-6",
  chart: "M4 4v16h16M7 15l4-5 3 3 5-7",
} as const;

/** Name of an icon. */
export type IconName = keyof typeof paths;

const filled: readonly IconName[] = ["play", "pause", "step", "stop", "bolt"];

/** An icon in the colour of its text, hidden from screen readers. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  const isFilled = filled.includes(name);
  return (
    <svg
      aria-hidden="true"
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={isFilled ? "currentColor" : "none"}
      stroke={isFilled ? "none" : "currentColor"}
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
