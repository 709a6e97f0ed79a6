import { Checkbox, Switch } from "@mantine/core";
import { isLiveField } from "../../../../state/configChanges.ts";
import { defaultOf, edit } from "../../../../state/editing.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import type { RunConfig } from "../../../../engine/training/config.ts";
import { choiceTexts, settingTexts, type SettingText } from "../../../text.ts";
import { ChoiceSetting } from "./ChoiceSetting.tsx";
import { HelpButton, NumberSetting } from "./NumberSetting.tsx";

/** What the slider of a setting offers. */
interface Range {
  readonly minimum: number;
  readonly maximum: number;
  readonly scale: "linear" | "log";
  readonly isWhole: boolean;
}

const whole = (minimum: number, maximum: number, scale: Range["scale"] = "log"): Range => ({
  minimum,
  maximum,
  scale,
  isWhole: true,
});
const real = (minimum: number, maximum: number, scale: Range["scale"] = "linear"): Range => ({
  minimum,
  maximum,
  scale,
  isWhole: false,
});

const ranges = {
  sftWeight: real(0, 2),
  methodWeight: real(0, 4),
  secondWeight: real(0, 4),
  learningRate: real(1e-5, 3e-2, "log"),
  steps: whole(10, 1000),
  batchPairs: whole(1, 64),
  accumulationSteps: whole(1, 16),
  seed: whole(0, 100, "linear"),
  loraRank: whole(1, 64),
  loraAlpha: real(1, 128, "log"),
  loraDropout: real(0, 0.5),
  topLayers: whole(0, 64, "linear"),
  warmupSteps: whole(0, 100, "linear"),
  weightDecay: real(0, 0.2),
  maxGradNorm: real(0, 5),
  evalEvery: whole(0, 100, "linear"),
  evalPairs: whole(16, 128),
  samplePrompts: whole(4, 128),
  sampleTokens: whole(8, 128),
  sampleTemperature: real(0, 2),
  maxTokens: whole(32, 512),
  rounds: whole(0, 10, "linear"),
  onlinePrompts: whole(0, 512, "linear"),
  regeneratedShare: real(0, 1),
  answersPerPrompt: whole(2, 16, "linear"),
  answerTemperature: real(0.1, 2),
  answerTopP: real(0.05, 1),
  declineRounds: whole(0, 5, "linear"),
} as const satisfies Partial<Record<keyof RunConfig, Range>>;

/** Settings that are numbers. */
export type NumberField = keyof typeof ranges;

/** Settings that are one of a few words. */
export type ChoiceField = keyof typeof choiceTexts;

/** A number of the configuration. */
export function NumberField({ field }: { readonly field: NumberField }) {
  const value = useSetupStore((setup) => setup.config[field]);
  const layers = useSetupStore((setup) => setup.model?.layers);
  const initial = useSetupStore((setup) => Number(defaultOf(field) ?? setup.config[field]));
  const problem = useProblem(field);
  return (
    <NumberSetting
      field={field}
      {...settingTexts[field]}
      {...ranges[field]}
      maximum={maximumOf(field, layers)}
      value={value}
      initial={initial}
      isLive={isLiveField(field)}
      problem={problem}
      onChange={(value) => {
        edit({ [field]: value });
      }}
    />
  );
}

/** What is wrong with a setting. Each field listens to its own part of the setup, so that an edit draws one of them anew. */
function useProblem(field: string): string | undefined {
  return useSetupStore(
    (setup) => setupProblems(setup).find((candidate) => candidate.field === field)?.message,
  );
}

/** What the slider goes up to; of the layers no more can be trained than the model has. */
function maximumOf(field: NumberField, layers: number | undefined): number {
  return field === "topLayers" && layers !== undefined ? layers : ranges[field].maximum;
}

/** A choice of the configuration. */
export function ChoiceField({ field }: { readonly field: ChoiceField }) {
  const value = useSetupStore((setup) => setup.config[field]);
  const problem = useProblem(field);
  return (
    <ChoiceSetting<string>
      field={field}
      {...settingTexts[field]}
      value={value}
      choices={choiceTexts[field]}
      problem={problem}
      onChange={(value) => {
        edit({ [field]: value });
      }}
    />
  );
}

/** Settings that are switched on and off. */
export type SwitchField = "isShuffled" | "sharesPrompts" | "hasPromptBaseline";

/** A switch of the configuration. */
export function SwitchField({ field }: { readonly field: SwitchField }) {
  const isOn = useSetupStore((state) => state.config[field]);
  const { label, help, paper }: SettingText = settingTexts[field];
  return (
    <div className="setting">
      <div className="setting-line">
        <span className="setting-label">
          {label}
          <HelpButton label={label} help={help} paper={paper} />
        </span>
        <Switch
          size="sm"
          aria-label={label}
          data-field={field}
          checked={isOn}
          onChange={({ currentTarget }) => {
            edit({ [field]: currentTarget.checked });
          }}
        />
      </div>
      {paper !== undefined && <p className="setting-paper">{paper}</p>}
    </div>
  );
}

const targetRows: readonly (readonly [string, readonly RunConfig["loraTargets"][number][]])[] = [
  ["attention", ["q_proj", "k_proj", "v_proj", "o_proj"]],
  ["feed-forward", ["gate_proj", "up_proj", "down_proj"]],
];

/** Which matrices get an adapter. */
export function TargetsField() {
  const setup = useSetupStore();
  const { label, help } = settingTexts.loraTargets;
  const problem = setupProblems(setup).find(({ field }) => field.startsWith("loraTargets"))?.message;
  const toggle = (target: RunConfig["loraTargets"][number], isOn: boolean) => {
    const wanted = new Set(setup.config.loraTargets);
    if (isOn) wanted.add(target);
    else wanted.delete(target);
    const ordered = targetRows.flatMap(([, targets]) => targets);
    edit({ loraTargets: ordered.filter((candidate) => wanted.has(candidate)) });
  };
  return (
    <fieldset className="setting targets">
      <legend className="setting-label">
        {label}
        <HelpButton label={label} help={help} />
      </legend>
      {targetRows.map(([name, targets]) => (
        <div key={name} className="target-row">
          <span className="note">{name}</span>
          {targets.map((target) => (
            <Checkbox
              key={target}
              size="xs"
              label={target.replace("_proj", "")}
              data-field={target === "q_proj" ? "loraTargets" : undefined}
              checked={setup.config.loraTargets.includes(target)}
              onChange={({ currentTarget }) => {
                toggle(target, currentTarget.checked);
              }}
            />
          ))}
        </div>
      ))}
      {problem !== undefined && <p className="setting-problem">{problem}</p>}
    </fieldset>
  );
}
