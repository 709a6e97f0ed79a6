import { Button } from "@mantine/core";
import { downloadModel, isMoving, useDownloadStore } from "../../../state/downloads.ts";
import { useHubStore } from "../../../state/hub.ts";
import { isComplete, useShelfStore } from "../../../state/shelfStore.ts";
import type { FitVerdict, ModelOffer, ModelVariant } from "../../../worker/protocol.ts";
import { Icon, type IconName } from "../../components/Icon.tsx";
import { formatBytes, formatBytesOf, formatCount } from "../../format.ts";
import { choiceTexts } from "../../text.ts";

/** What a repository offers: what it is, under which terms, and in which forms, with whether each fits. */
export function Offer({ offer }: { readonly offer: ModelOffer }) {
  const { repo, revision, architecture, parameters, license, isGated, hasChatTemplate, variants } = offer;
  const facts = [
    architecture ?? "unknown architecture",
    parameters === null ? "size unknown" : `${formatCount(parameters)} parameters`,
    license === null ? "no licence stated" : `licence ${license}`,
    hasChatTemplate ? "chat template" : "no chat template",
  ];
  return (
    <section className="offer" aria-label={`Offer of ${repo}`} data-testid="offer">
      <h3>
        {repo} <span className="note">@ {revision.slice(0, 7)}</span>
      </h3>
      <p className="offer-facts">{facts.join(" · ")}</p>
      {isGated && <Gate repo={repo} />}
      {variants.length === 0 && <p>There is nothing in it that the studio can load.</p>}
      {variants.some(({ fit }) => Object.keys(fit).length > 0) && (
        <p className="note">
          By how the weights lie: memory that they and a small training step need, of what this device gave
          when it was asked.
        </p>
      )}
      <ul className="offer-variants">
        {usableFirst(variants).map((variant) => (
          <Variant key={variant.id} variant={variant} />
        ))}
      </ul>
    </section>
  );
}

function usableFirst(variants: readonly ModelVariant[]): readonly ModelVariant[] {
  return variants.toSorted((a, b) => Number(a.problem !== null) - Number(b.problem !== null));
}

/** The way to the terms of a model that asks for them. */
function Gate({ repo }: { readonly repo: string }) {
  const { hubUrl, token } = useHubStore();
  return (
    <p className="offer-gate">
      <Icon name="info" size={16} />
      <span>
        This model is gated: accept its terms at{" "}
        <a href={`${hubUrl}/${repo}`} target="_blank" rel="noreferrer">
          {repo}
        </a>
        {token === "" ? ", then enter your token above." : "; your token goes with the download."}
      </span>
    </p>
  );
}

function Variant({ variant }: { readonly variant: ModelVariant }) {
  const { id, label, bytes, fit, problem, files } = variant;
  return (
    <li className="offer-variant" data-testid="variant">
      <div className="offer-variant-line">
        <strong>{label}</strong>
        <span>{formatBytes(bytes)}</span>
        {problem === null && <Get id={id} label={label} files={files} />}
      </div>
      {problem === null ? (
        <ul className="fits" aria-label={`Whether ${label} fits`}>
          {Object.entries(fit).map(([weights, verdict]) => (
            <Fit
              key={weights}
              name={choiceTexts.baseWeights[weights as keyof typeof fit]}
              verdict={verdict}
            />
          ))}
        </ul>
      ) : (
        <p className="setting-problem">{problem}</p>
      )}
    </li>
  );
}

const verdicts: Record<FitVerdict["verdict"], { readonly word: string; readonly icon: IconName }> = {
  fits: { word: "fits", icon: "check" },
  tight: { word: "tight", icon: "info" },
  tooBig: { word: "too big", icon: "error" },
};

function Fit({ name, verdict: fit }: { readonly name: string; readonly verdict: FitVerdict }) {
  const { word, icon } = verdicts[fit.verdict];
  return (
    <li className={`fit fit-${fit.verdict}`}>
      <span>{name}</span>
      <span className="fit-word">
        <Icon name={icon} size={14} />
        {word}
      </span>
      <span className="fit-numbers">{formatBytesOf(fit.neededBytes, fit.availableBytes)}</span>
    </li>
  );
}

/** The button that fetches a variant, or what has become of it. */
function Get({ id, label, files }: Pick<ModelVariant, "id" | "label" | "files">) {
  const download = useDownloadStore((downloads) => downloads[id]);
  const kept = useShelfStore(({ shelf }) => shelf?.models.find((model) => model.id === id));
  if (download !== undefined && isMoving(download)) return <span className="note">On its way…</span>;
  if (kept !== undefined && isComplete(kept)) return <span className="note">On the shelf</span>;
  return (
    <Button size="xs" aria-label={`Download ${label}`} onClick={() => void downloadModel({ id, files })}>
      {kept === undefined ? "Download" : "Continue"}
    </Button>
  );
}
