import type { ReactNode } from "react";

/** What a panel is made of. */
export interface PanelProps {
  readonly title: string;
  /** Controls at the right end of the heading. */
  readonly aside?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

/** A titled area of the screen. */
export function Panel({ title, aside, className = "", children }: PanelProps) {
  return (
    <section className={`panel ${className}`} aria-label={title}>
      <header className="panel-heading">
        <h2>{title}</h2>
        {aside}
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}
