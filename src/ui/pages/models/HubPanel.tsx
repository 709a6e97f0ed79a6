import { Button, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import {
  editHub,
  hubHost,
  hubOffer,
  hubProblems,
  lookAtHub,
  suggestedRepos,
  useHubStore,
} from "../../../state/hub.ts";
import { chooseFiles } from "../../components/FileDoors.tsx";
import { HubWait } from "../../components/HubWait.tsx";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { Offer } from "./Offer.tsx";

/** A model of the Hub by its id: looked at first, and downloaded if it fits. */
export function HubPanel() {
  const hub = useHubStore();
  const { answer, refusal, isAsking } = hubOffer.useStore();
  const problems = hubProblems(hub);
  const look = (event: FormEvent) => {
    event.preventDefault();
    void lookAtHub();
  };
  return (
    <Panel title="Get a model">
      <form className="hub-form" onSubmit={look}>
        <TextInput
          size="xs"
          label="Model on the Hub"
          placeholder="owner/name"
          data-testid="hub-repo"
          autoComplete="off"
          spellCheck={false}
          value={hub.repo}
          error={problems.repo}
          onChange={({ currentTarget }) => editHub({ repo: currentTarget.value })}
        />
        <TextInput
          size="xs"
          label="Revision"
          autoComplete="off"
          spellCheck={false}
          value={hub.revision}
          onChange={({ currentTarget }) => editHub({ revision: currentTarget.value })}
        />
        <Button
          size="xs"
          type="submit"
          loading={isAsking}
          disabled={hub.repo.trim() === "" || Object.keys(problems).length > 0}
        >
          Look
        </Button>
      </form>
      <Suggestions />
      <HubAddress problem={problems.hubUrl} />
      <p className="note">
        {hubHost(hub)} sees which files are asked for{hub.token === "" ? "" : ", and your token"}. Your pairs
        and what you train stay here.
      </p>
      {isAsking && <HubWait host={hubHost(hub)} onStop={hubOffer.forget} />}
      {refusal !== null && (
        <>
          <Refusal title="The Hub gave no answer." reason={refusal} onRetry={() => void lookAtHub()} />
          <Button size="compact-xs" variant="default" mt={6} onClick={() => chooseFiles("model")}>
            Load from disk
          </Button>
        </>
      )}
      {answer !== null && <Offer offer={answer} />}
    </Panel>
  );
}

function Suggestions() {
  return (
    <ul className="hub-suggestions" aria-label="Small models that a browser trains">
      {suggestedRepos.map((repo) => (
        <li key={repo}>
          <button
            type="button"
            className="chip chip-button"
            onClick={() => editHub({ repo, revision: "main" })}
          >
            {repo.split("/")[1]}
          </button>
        </li>
      ))}
    </ul>
  );
}

function HubAddress({ problem }: { readonly problem: string | undefined }) {
  const { hubUrl, token } = useHubStore();
  return (
    <details className="hub-address" open={problem !== undefined || undefined}>
      <summary>Token and Hub address</summary>
      <TextInput
        size="xs"
        type="password"
        label="Access token"
        description="For gated and private models, and for uploads. It stays in the memory of this tab and is written nowhere."
        autoComplete="off"
        data-testid="hub-token"
        value={token}
        onChange={({ currentTarget }) => editHub({ token: currentTarget.value })}
      />
      <TextInput
        size="xs"
        type="url"
        label="Hub address"
        description="Another one for a mirror."
        data-testid="hub-url"
        value={hubUrl}
        error={problem}
        onChange={({ currentTarget }) => editHub({ hubUrl: currentTarget.value })}
      />
    </details>
  );
}
