import type { KeyboardEvent } from "react";
import { chooseMethod, defaultOf, editParam } from "../../../../state/editing.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import { NumberSetting } from "./NumberSetting.tsx";

/** Cards of every method that the trainer offers, and the knobs of the chosen one. */
export function MethodCards() {
  return (
    <>
      <MethodChoice />
      <MethodKnobs />
    </>
  );
}

/** The cards alone, as a phone shows them above the Pair Map. */
export function MethodChoice() {
  const { description, config } = useSetupStore();
  const objectives = description?.objectives ?? [];
  const move = (event: KeyboardEvent) => {
    const direction = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    const index = objectives.findIndex(({ id }) => id === config.method);
    const next = objectives[(index + direction + objectives.length) % objectives.length];
    if (next === undefined) return;
    chooseMethod(next.id);
    document.querySelector<HTMLElement>(`[data-method="${next.id}"]`)?.focus();
  };
  return (
    <div className="method-cards" role="radiogroup" aria-label="Method" onKeyDown={move}>
      {objectives.map(({ id, label, sentence }) => (
        <button
          key={id}
          type="button"
          role="radio"
          aria-checked={id === config.method}
          aria-label={`${label}: ${sentence}`}
          tabIndex={id === config.method ? 0 : -1}
          className="method-card"
          data-method={id}
          data-field={id === config.method ? "method" : undefined}
          onClick={() => {
            chooseMethod(id);
          }}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

function MethodKnobs() {
  const setup = useSetupStore();
  const objective = setup.description?.objectives.find(({ id }) => id === setup.config.method);
  if (objective === undefined) return null;
  const problems = setupProblems(setup);
  return (
    <>
      <p className="method-sentence">{objective.sentence}</p>
      {objective.parameters.map((spec) => {
        const field = `params.${spec.key}`;
        return (
          <NumberSetting
            key={`${objective.id} ${spec.key}`}
            field={field}
            label={spec.label}
            help={spec.help}
            value={setup.config.params[spec.key] ?? spec.default}
            initial={Number(defaultOf(field))}
            minimum={spec.minimum}
            maximum={spec.maximum}
            scale={spec.scale}
            paper={spec.paper}
            problem={problems.find((problem) => problem.field === field)?.message}
            onChange={(value) => {
              editParam(spec.key, value);
            }}
          />
        );
      })}
    </>
  );
}
