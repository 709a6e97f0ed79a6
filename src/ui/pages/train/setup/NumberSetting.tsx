import { ActionIcon, Popover, Slider, TextInput, Tooltip } from "@mantine/core";
import { useState, type KeyboardEvent } from "react";
import { Icon } from "../../../components/Icon.tsx";
import { formatSetting } from "../../../format.ts";

/** One number of the form. */
export interface NumberSettingProps {
  /** Name in the configuration; a method's knob is `params.beta`. */
  readonly field: string;
  readonly label: string;
  readonly help: string;
  readonly value: number;
  /** The value that the arrow resets to. */
  readonly initial: number;
  /** What the slider offers; the box takes whatever the configuration allows. */
  readonly minimum: number;
  readonly maximum: number;
  readonly scale: "linear" | "log";
  readonly isWhole?: boolean;
  readonly isLive?: boolean;
  /** The published value, such as "paper: 0.1". */
  readonly paper?: string | undefined;
  readonly problem?: string | undefined;
  readonly onChange: (value: number) => void;
}

/** Positions of a slider on a logarithmic scale. */
const logPositions = 1000;

/** A number with a box, a slider, its help, and an arrow back to the preset's value. */
export function NumberSetting(props: NumberSettingProps) {
  const { field, label, help, value, initial, isLive = false, paper, problem, onChange } = props;
  const isChanged = formatSetting(value) !== formatSetting(initial);
  return (
    <div className="setting">
      <div className="setting-line">
        <span className="setting-label">
          {label}
          {isLive && (
            <Tooltip label="Applies to a running run at once">
              <span className="setting-live" role="img" aria-label="applies live">
                <Icon name="bolt" size={12} />
              </span>
            </Tooltip>
          )}
          <HelpButton label={label} help={help} paper={paper} />
        </span>
        <NumberBox {...props} />
        <ActionIcon
          variant="subtle"
          size={24}
          className="setting-reset"
          disabled={!isChanged}
          aria-label={`Reset ${label} to ${formatSetting(initial)}`}
          onClick={() => {
            onChange(initial);
          }}
        >
          <Icon name="reset" size={14} />
        </ActionIcon>
      </div>
      <ValueSlider {...props} />
      {problem !== undefined && (
        <p className="setting-problem" id={`${field}-problem`}>
          {problem}
        </p>
      )}
      {paper !== undefined && <p className="setting-paper">{paper}</p>}
    </div>
  );
}

/** A question mark that explains a setting. */
export function HelpButton({
  label,
  help,
  paper,
}: {
  readonly label: string;
  readonly help: string;
  readonly paper?: string | undefined;
}) {
  return (
    <Popover width={260} position="right" withArrow shadow="md">
      <Popover.Target>
        <button type="button" className="help-button" aria-label={`What is ${label}?`}>
          ?
        </button>
      </Popover.Target>
      <Popover.Dropdown className="help-text">
        <strong>{label}</strong>
        <p>{help}</p>
        {paper !== undefined && <p className="note">{paper}</p>}
      </Popover.Dropdown>
    </Popover>
  );
}

function NumberBox({ field, label, value, scale, isWhole = false, problem, onChange }: NumberSettingProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const type = (text: string) => {
    setDraft(text);
    onChange(text.trim() === "" ? Number.NaN : Number(text.replace(",", ".").replace("−", "-")));
  };
  const nudge = (event: KeyboardEvent) => {
    const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (direction === 0 || !Number.isFinite(value)) return;
    event.preventDefault();
    setDraft(null);
    const next = isWhole
      ? value + direction
      : scale === "log"
        ? value * 1.1 ** direction
        : value + direction / 10;
    onChange(tidy(next, isWhole));
  };
  return (
    <TextInput
      size="xs"
      className="setting-box"
      inputMode="decimal"
      aria-label={label}
      data-field={field}
      value={draft ?? formatSetting(value)}
      error={problem !== undefined}
      aria-describedby={problem === undefined ? undefined : `${field}-problem`}
      onChange={({ currentTarget }) => {
        type(currentTarget.value);
      }}
      onKeyDown={nudge}
      onBlur={() => {
        setDraft(null);
      }}
    />
  );
}

function ValueSlider({
  label,
  value,
  minimum,
  maximum,
  scale,
  isWhole = false,
  onChange,
}: NumberSettingProps) {
  const isLog = scale === "log";
  const ratio = Math.log(maximum / minimum);
  const toPosition = (number: number) =>
    isLog ? (Math.log(Math.max(number, minimum) / minimum) / ratio) * logPositions : number;
  const fromPosition = (position: number) =>
    isLog ? minimum * Math.exp((position / logPositions) * ratio) : position;
  const step = isLog ? 1 : isWhole ? 1 : (maximum - minimum) / 100;
  return (
    <Slider
      size={3}
      thumbSize={24}
      label={null}
      thumbLabel={label}
      thumbValueText={() => formatSetting(value)}
      min={isLog ? 0 : minimum}
      max={isLog ? logPositions : maximum}
      step={step}
      value={Number.isFinite(value) ? toPosition(value) : isLog ? 0 : minimum}
      onChange={(position) => {
        const next = tidy(fromPosition(position), isWhole);
        // Coming to rest beyond the slider's ends must not pull a typed value back in.
        if (next !== value) onChange(next);
      }}
    />
  );
}

function tidy(value: number, isWhole: boolean): number {
  return isWhole ? Math.round(value) : Number(value.toPrecision(2));
}
