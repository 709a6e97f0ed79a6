import { Button, Checkbox, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import { editHub, hubHost, isRepoName, useHubStore } from "../../../state/hub.ts";
import { editLeaving, uploadModel, useLeavingStore } from "../../../state/leaving.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Icon } from "../Icon.tsx";
import { Refusal } from "../Refusal.tsx";
import { KindChoice } from "./KindChoice.tsx";

/** The model in a repository of one’s own on the Hub. */
export function UploadTab() {
  const { repo, isPrivate, working, refusal, url } = useLeavingStore();
  const hub = useHubStore();
  const hasModel = useSetupStore(({ model }) => model !== null);
  const isNamed = isRepoName(repo);
  const upload = (event: FormEvent) => {
    event.preventDefault();
    void uploadModel();
  };
  return (
    <form onSubmit={upload}>
      <KindChoice />
      <div className="upload-fields">
        <TextInput
          size="xs"
          label="Repository"
          placeholder="you/name-of-the-model"
          autoComplete="off"
          spellCheck={false}
          value={repo}
          error={repo.trim() === "" || isNamed ? undefined : "Owner and name, such as you/kind-story."}
          onChange={({ currentTarget }) => editLeaving({ repo: currentTarget.value })}
        />
        <TextInput
          size="xs"
          type="password"
          label="Access token with write permission"
          autoComplete="off"
          value={hub.token}
          onChange={({ currentTarget }) => editHub({ token: currentTarget.value })}
        />
      </div>
      <Checkbox
        size="sm"
        label="Private"
        checked={isPrivate}
        onChange={({ currentTarget }) => editLeaving({ isPrivate: currentTarget.checked })}
      />
      <p className="note">
        {hubHost(hub)} gets the files of the model with a README that names the run’s settings and figures,
        and your token. The token stays in the memory of this tab and is written nowhere.
      </p>
      <div className="dialog-actions">
        <Button
          size="xs"
          type="submit"
          leftSection={<Icon name="share" size={14} />}
          loading={working === "upload"}
          disabled={!hasModel || !isNamed || hub.token.trim() === "" || working !== null}
        >
          Upload
        </Button>
      </div>
      <Refusal title="It was not uploaded." reason={refusal} />
      <p role="status">
        {url !== null && (
          <>
            Uploaded to{" "}
            <a href={url} target="_blank" rel="noreferrer">
              {url}
            </a>
          </>
        )}
      </p>
    </form>
  );
}
