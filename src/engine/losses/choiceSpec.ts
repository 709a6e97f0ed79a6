import type { ParameterSpec } from "./objective.ts";
import { ObjectiveInputError, optionOf } from "./objective.ts";

/** What a knob with named values needs; `default` is the place of a name. */
interface Choice {
  readonly key: string;
  readonly label: string;
  readonly help: string;
  readonly choices: readonly string[];
  readonly default?: number;
  readonly paper?: string;
  readonly formulas?: readonly string[];
}

/** A knob whose values 0, 1, and so on have names; absent it is at its default. */
export function choiceSpec({ default: value = 0, ...choice }: Choice): ParameterSpec {
  const maximum = choice.choices.length - 1;
  return { ...choice, default: value, minimum: 0, maximum, scale: "linear", isWhole: true, isOptional: true };
}

/** Name of the chosen value; throws `ObjectiveInputError` when the number names none. */
export function choiceOf(parameters: Readonly<Record<string, number>>, spec: ParameterSpec): string {
  const value = optionOf(parameters, spec);
  const name = spec.choices?.[value];
  if (name !== undefined) return name;
  throw new ObjectiveInputError(`parameter ${spec.key} is ${value}, it goes from 0 to ${spec.maximum}`);
}
