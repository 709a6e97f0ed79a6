import { TextInput, Tooltip } from "@mantine/core";
import { useId, useState, type KeyboardEvent } from "react";
import { chooseMethod } from "../../../../state/editing.ts";
import { useSetupStore } from "../../../../state/setupStore.ts";
import type { ObjectiveCard } from "../../../../worker/description.ts";
import { Icon } from "../../../components/Icon.tsx";
import { groupMethods, type MethodGroup } from "./methodGroups.ts";

/** Every method that the trainer offers, by group: the present group is open, the others show their names. */
export function MethodChoice() {
  const { description, config } = useSetupStore();
  const [filter, setFilter] = useState("");
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const objectives = description?.objectives ?? [];
  const groups = groupMethods(objectives, filter);
  const ordered = groups.flatMap(({ methods }) => methods);
  const toggle = (id: string) => {
    const next = new Set(opened);
    if (!next.delete(id)) next.add(id);
    setOpened(next);
  };
  const move = (event: KeyboardEvent) => {
    const direction = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const from = ordered.findIndex(({ id }) => id === config.method);
    const next = ordered[(from + direction + ordered.length) % ordered.length];
    if (next !== undefined) chooseAndFocus(next.id);
  };
  return (
    <div className="methods" role="group" aria-label="Method">
      <MethodFilter filter={filter} onFilter={setFilter} />
      {groups.map((group) => {
        const isPresent = group.methods.some(({ id }) => id === config.method);
        return (
          <Group
            key={group.id}
            group={group}
            method={config.method}
            isFixed={isPresent || filter !== ""}
            isOpen={isPresent || filter !== "" || opened.has(group.id)}
            onToggle={() => {
              toggle(group.id);
            }}
            onMove={move}
          />
        );
      })}
      {groups.length === 0 && (
        <p className="note" role="status">
          No method has “{filter}” in its name or its words.
        </p>
      )}
    </div>
  );
}

/** A group that was closed opens with the choice, so its card is there one frame later. */
function chooseAndFocus(id: string): void {
  chooseMethod(id);
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>(`[data-method="${CSS.escape(id)}"]`)?.focus();
  });
}

function MethodFilter({
  filter,
  onFilter,
}: {
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
}) {
  return (
    <TextInput
      size="xs"
      type="search"
      className="method-filter"
      aria-label="Find a method"
      placeholder="Find a method"
      value={filter}
      onChange={({ currentTarget }) => {
        onFilter(currentTarget.value);
      }}
    />
  );
}

interface GroupProps {
  readonly group: MethodGroup;
  readonly method: string;
  readonly isOpen: boolean;
  /** The group cannot be closed, because it has the present method or was filtered for. */
  readonly isFixed: boolean;
  readonly onToggle: () => void;
  readonly onMove: (event: KeyboardEvent) => void;
}

function Group({ group, method, isOpen, isFixed, onToggle, onMove }: GroupProps) {
  const { title, methods } = group;
  const headingId = useId();
  const hasChosen = methods.some(({ id }) => id === method);
  return (
    <section className="method-group">
      {isFixed ? (
        <h3 id={headingId} className="method-heading">
          {title}
        </h3>
      ) : (
        <button
          type="button"
          id={headingId}
          className="method-heading"
          aria-expanded={isOpen}
          onClick={onToggle}
        >
          <span className="method-heading-title">{title}</span>
          {!isOpen && (
            <span className="method-heading-names">{methods.map(({ label }) => label).join(", ")}</span>
          )}
          <Icon name="chevron" size={12} />
        </button>
      )}
      {isOpen && (
        <div className="method-cards" role="radiogroup" aria-labelledby={headingId} onKeyDown={onMove}>
          {methods.map((card, index) => (
            <MethodCard
              key={card.id}
              card={card}
              isChosen={card.id === method}
              isInTabOrder={hasChosen ? card.id === method : index === 0}
            />
          ))}
        </div>
      )}
    </section>
  );
}

interface MethodCardProps {
  readonly card: ObjectiveCard;
  readonly isChosen: boolean;
  readonly isInTabOrder: boolean;
}

function MethodCard({ card: { id, label, sentence }, isChosen, isInTabOrder }: MethodCardProps) {
  return (
    <Tooltip label={sentence} multiline w={230} openDelay={400} position="bottom" withArrow>
      <button
        type="button"
        role="radio"
        aria-checked={isChosen}
        aria-label={`${label}: ${sentence}`}
        tabIndex={isInTabOrder ? 0 : -1}
        className="method-card"
        data-method={id}
        data-field={isChosen ? "method" : undefined}
        onClick={() => {
          chooseMethod(id);
        }}
      >
        {label}
      </button>
    </Tooltip>
  );
}
