import { ActionIcon, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { useRunStore, type LogEntry } from "../../../state/runStore.ts";
import { useViewStore } from "../../../state/viewStore.ts";
import { CopyButton } from "../../components/CopyButton.tsx";
import { Icon } from "../../components/Icon.tsx";
import { logText } from "../../components/logText.ts";

const levels = [
  { value: "all", label: "All" },
  { value: "warning", label: "Warnings" },
  { value: "error", label: "Errors" },
];

/** Everything that happened, newest first. */
export function LogPanel() {
  const log = useRunStore((state) => state.log);
  const [level, setLevel] = useState("all");
  const shown = log.filter((entry) => level === "all" || entry.level === "error" || entry.level === level);
  return (
    <section className="panel log-panel" aria-label="Log" data-testid="log">
      <header className="panel-heading">
        <h2>Log</h2>
        <SegmentedControl size="xs" aria-label="Level" data={levels} value={level} onChange={setLevel} />
        <CopyButton text={logText(log)} label="Copy" />
        <ActionIcon
          variant="subtle"
          size={28}
          aria-label="Close the log"
          onClick={() => {
            useViewStore.setState({ isLogOpen: false });
          }}
        >
          <Icon name="close" />
        </ActionIcon>
      </header>
      {shown.length === 0 ? (
        <p className="note">{log.length === 0 ? "Nothing has happened yet." : "Nothing at this level."}</p>
      ) : (
        <ol className="log-lines" tabIndex={0} aria-label="Log lines">
          {shown.toReversed().map((entry) => (
            <LogLine key={entry.id} entry={entry} />
          ))}
        </ol>
      )}
    </section>
  );
}

function LogLine({ entry }: { readonly entry: LogEntry }) {
  const { time, level, code, message, step } = entry;
  return (
    <li className={`log-line log-${level}`}>
      <time>{new Date(time).toLocaleTimeString("en-GB")}</time>
      <span className="log-step">{step === null ? "" : `step ${step}`}</span>
      <span className="log-level">{level === "info" ? "" : level}</span>
      <span>
        {code !== null && <strong>{code} </strong>}
        {message}
      </span>
    </li>
  );
}
