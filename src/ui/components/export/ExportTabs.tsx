import { useEffect, useState, type KeyboardEvent, type ReactNode } from "react";
import { FilesTab } from "./FilesTab.tsx";
import { ProjectTab } from "./ProjectTab.tsx";
import { UploadTab } from "./UploadTab.tsx";
import "./export.css";

/** A way out for the model. */
interface Way {
  readonly id: string;
  readonly label: string;
  readonly show: () => ReactNode;
}

const ways: readonly [Way, ...Way[]] = [
  { id: "files", label: "Save files", show: () => <FilesTab /> },
  { id: "upload", label: "Upload to the Hub", show: () => <UploadTab /> },
  { id: "trl", label: "Copy as TRL", show: () => <ProjectTab /> },
];

/** The ways out, one tab each. */
export function ExportTabs() {
  const [chosen, setChosen] = useState(ways[0].id);
  const way = ways.find(({ id }) => id === chosen) ?? ways[0];
  useEffect(() => {
    // On a phone the chosen tab may lie beyond the edge.
    document.getElementById(`export-tab-${chosen}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosen]);
  const move = (event: KeyboardEvent) => {
    const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const next = ways[(ways.indexOf(way) + direction + ways.length) % ways.length] ?? way;
    setChosen(next.id);
    document.getElementById(`export-tab-${next.id}`)?.focus();
  };
  return (
    <div className="export">
      <div className="tab-list" role="tablist" aria-label="Ways out" onKeyDown={move}>
        {ways.map(({ id, label }) => (
          <button
            key={id}
            id={`export-tab-${id}`}
            type="button"
            role="tab"
            className="tab"
            aria-selected={id === way.id}
            aria-controls="export-panel"
            tabIndex={id === way.id ? 0 : -1}
            onClick={() => setChosen(id)}
          >
            {label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="export-panel" aria-labelledby={`export-tab-${way.id}`}>
        {way.show()}
      </div>
    </div>
  );
}
