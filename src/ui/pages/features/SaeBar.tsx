import { Button, NativeSelect } from "@mantine/core";
import { changeReport } from "../../../state/features.ts";
import { openTab } from "../../../state/navigation.ts";
import { chooseSae, saveSae } from "../../../state/saes.ts";
import { offeredSaes, saeInUse, useSaeStore } from "../../../state/saeStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { SaeSummary } from "../../../worker/protocol.ts";
import { chooseFiles } from "../../components/FileDoors.tsx";
import { Icon } from "../../components/Icon.tsx";
import { formatCount, formatFineShare, formatValue } from "../../format.ts";
import { Refusal } from "../../components/Refusal.tsx";
import { useTable } from "../../components/useFeatureLabel.ts";

/** The autoencoder in use with its figures, and the ways to another. */
export function SaeBar() {
  const { inUse, embedded, opening, refusal } = useSaeStore();
  const named = useSetupStore(({ config }) => config.saes);
  const sae = inUse[0] ?? null;
  const choices = offeredSaes({ inUse, embedded }).map(({ id, label }) => ({ value: id, label }));
  if (sae === null) choices.unshift({ value: "", label: "No autoencoder" });
  // A link can name one that is nowhere: choosing another takes its place.
  const missing =
    named.length === 1 ? named.find((id) => choices.every(({ value }) => value !== id)) : undefined;
  if (missing !== undefined) choices.unshift({ value: missing, label: `${missing}: not at hand` });
  return (
    <section className="panel sae-bar" aria-label="Sparse autoencoder">
      <div className="sae-bar-line">
        <NativeSelect
          size="xs"
          aria-label="Autoencoder in use"
          data-testid="sae-select"
          value={missing ?? sae?.id ?? ""}
          data={choices}
          disabled={opening !== null}
          onChange={({ currentTarget }) => void chooseSae(currentTarget.value)}
        />
        <OpenFiles />
        <Button size="xs" variant="default" onClick={() => openTab("features", "train-sae")}>
          Train one…
        </Button>
        {sae !== null && (
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="save" size={14} />}
            onClick={() => void saveSae(sae.id)}
          >
            Save
          </Button>
        )}
        {sae !== null && <Figures sae={sae} />}
      </div>
      <p role="status" className="visually-hidden">
        {opening === null ? "" : `Reading ${opening}`}
      </p>
      {opening !== null && <p className="note">Reading {opening}…</p>}
      <Refusal title="This did not work." reason={refusal} />
    </section>
  );
}

function OpenFiles() {
  return (
    <Button
      size="xs"
      variant="default"
      leftSection={<Icon name="folder" size={14} />}
      onClick={() => chooseFiles("sae")}
    >
      Open files…
    </Button>
  );
}

/** What kind it is, and how well it fits before and after a run. */
function Figures({ sae }: { readonly sae: SaeSummary }) {
  const table = useTable();
  const report = changeReport.useStore(({ answer }) => (answer?.sae === sae.id ? answer : null));
  const l0 = report?.l0.before ?? table?.l0;
  const unexplained = report?.unexplained?.before ?? table?.unexplained ?? null;
  return (
    <dl className="sae-figures" data-testid="sae-figures">
      <Figure name="layer" text={String(sae.layer)} />
      <Figure name="features" text={formatCount(sae.width)} />
      {l0 !== undefined && (
        <Figure name="active (L0)" text={beforeAfter(l0, report?.l0.after ?? null, formatValue)} />
      )}
      {unexplained !== null && (
        <Figure
          name="unexplained"
          text={beforeAfter(unexplained, report?.unexplained?.after ?? null, formatFineShare)}
        />
      )}
      {!sae.hasDecoder && <Figure name="decoder" text="none: no logits, no steering" />}
    </dl>
  );
}

function beforeAfter(before: number, after: number | null, format: (value: number) => string): string {
  return after === null ? format(before) : `${format(before)} → ${format(after)}`;
}

function Figure({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

/** What stands in place of a tab that needs an autoencoder while there is none. */
export function NoSae() {
  const sae = useSaeStore(saeInUse);
  const { embedded } = useSaeStore();
  if (sae !== null) return null;
  const [first] = embedded;
  return (
    <div className="panel features-empty" data-testid="no-sae">
      <h2>Load an autoencoder or use the embedded one</h2>
      <p>
        A sparse autoencoder splits what a layer says into features that can be read. It has to have the width
        of the model’s stream.
      </p>
      <div className="dialog-actions">
        {first !== undefined && (
          <Button size="xs" onClick={() => void chooseSae(first.id)}>
            Use {first.label}
          </Button>
        )}
        <Button size="xs" variant="default" onClick={() => openTab("features", "train-sae")}>
          Train one on the loaded pairs
        </Button>
      </div>
      <p className="note">
        Files: cfg.json with sae_weights.safetensors (SAELens), or params.npz (Gemma Scope).
      </p>
    </div>
  );
}
