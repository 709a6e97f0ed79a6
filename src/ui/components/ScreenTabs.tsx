import { useEffect, type KeyboardEvent } from "react";
import { openTab } from "../../state/navigation.ts";
import type { OpenTabs, TabbedScreen } from "../../state/place.ts";

/** What the tabs of a screen are made of. */
export interface ScreenTabsProps<Name extends TabbedScreen> {
  readonly screen: Name;
  readonly label: string;
  readonly tab: OpenTabs[Name];
  /** What stands on each tab, in their order. */
  readonly names: Readonly<Record<OpenTabs[Name], string>>;
}

/** The tabs of a screen; their panel has the id `<screen>-panel` and is labelled by `<screen>-tab-<tab>`. */
export function ScreenTabs<Name extends TabbedScreen>({ screen, label, tab, names }: ScreenTabsProps<Name>) {
  const tabs = Object.keys(names) as OpenTabs[Name][];
  useEffect(() => {
    // On a phone the chosen tab may lie beyond the edge.
    document.getElementById(`${screen}-tab-${tab}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [screen, tab]);
  const move = (event: KeyboardEvent) => {
    const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(tab) + direction + tabs.length) % tabs.length] ?? tab;
    openTab(screen, next);
    document.getElementById(`${screen}-tab-${next}`)?.focus();
  };
  return (
    <div className="tab-list screen-tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map((name) => (
        <button
          key={name}
          id={`${screen}-tab-${name}`}
          type="button"
          role="tab"
          className="tab"
          aria-selected={name === tab}
          aria-controls={`${screen}-panel`}
          tabIndex={name === tab ? 0 : -1}
          onClick={() => openTab(screen, name)}
        >
          {names[name]}
        </button>
      ))}
    </div>
  );
}
