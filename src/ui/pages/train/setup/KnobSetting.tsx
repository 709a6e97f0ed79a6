import { defaultOf, editParam } from "../../../../state/editing.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import type { ObjectiveCard } from "../../../../worker/description.ts";
import { ChoiceSetting } from "./ChoiceSetting.tsx";
import { NumberSetting } from "./NumberSetting.tsx";

/** A knob as its method declares it. */
export interface KnobSettingProps {
  /** Key in `params`; a knob of the second method has its prefix. */
  readonly paramKey: string;
  readonly spec: ObjectiveCard["parameters"][number];
}

/** One knob of a method: a number, or a choice between names. */
export function KnobSetting({ paramKey, spec }: KnobSettingProps) {
  const setup = useSetupStore();
  const field = `params.${paramKey}`;
  const value = setup.config.params[paramKey] ?? spec.default;
  const problem = setupProblems(setup).find((candidate) => candidate.field === field)?.message;
  if (spec.choices !== undefined) {
    return (
      <ChoiceSetting<string>
        field={field}
        label={spec.label}
        help={spec.help}
        value={String(value)}
        choices={Object.fromEntries(spec.choices.map((name, index) => [String(index), name]))}
        problem={problem}
        onChange={(choice) => {
          editParam(paramKey, Number(choice));
        }}
      />
    );
  }
  return (
    <NumberSetting
      field={field}
      label={spec.label}
      help={spec.help}
      value={value}
      initial={Number(defaultOf(field))}
      minimum={spec.minimum}
      maximum={spec.maximum}
      scale={spec.scale}
      isWhole={spec.isWhole ?? false}
      paper={spec.paper}
      problem={problem}
      onChange={(next) => {
        editParam(paramKey, next);
      }}
    />
  );
}
