import { useId, type KeyboardEvent } from "react";
import { useViewStore } from "../../../state/viewStore.ts";
import { LossLabPanel } from "./lab/LossLabPanel.tsx";
import { PairMapPanel } from "./LivePanels.tsx";
import "./HeroPanel.css";

const tabs = [
  { id: "pairs", label: "Pair Map", Content: PairMapPanel },
  { id: "loss", label: "Loss lab", Content: LossLabPanel },
] as const;

/** The two maps of the same plane: where the pairs went, and what the loss says about going there. */
export function HeroPanel() {
  const hero = useViewStore((state) => state.hero);
  const baseId = useId();
  const shown = tabs.find(({ id }) => id === hero) ?? tabs[0];
  const walk = (event: KeyboardEvent) => {
    const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(shown) + direction + tabs.length) % tabs.length] ?? tabs[0];
    useViewStore.setState({ hero: next.id });
    document.querySelector<HTMLElement>(`[data-hero="${next.id}"]`)?.focus();
  };
  return (
    <div className="hero">
      <div className="tab-list hero-tabs" role="tablist" aria-label="Maps" onKeyDown={walk}>
        {tabs.map(({ id, label }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`${baseId}-${id}`}
            data-hero={id}
            className="tab"
            aria-selected={id === shown.id}
            aria-controls={`${baseId}-panel`}
            tabIndex={id === shown.id ? 0 : -1}
            onClick={() => {
              useViewStore.setState({ hero: id });
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${baseId}-panel`} aria-labelledby={`${baseId}-${shown.id}`}>
        <shown.Content />
      </div>
    </div>
  );
}
