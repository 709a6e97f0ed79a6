import { Button, Textarea, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import {
  addJudge,
  judgeKeptAside,
  judgeList,
  judgesInUse,
  tellEndpoint,
  wayTo,
} from "../../../state/judges.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";

const startRubric = "A good answer fits the prompt, is clear, and treats people kindly.";

/** A language model as judge. Off until its address is typed in; the secret leaves this form only for the trainer. */
export function JudgeEndpointPanel() {
  const endpoint = judgeList.useStore((state) => state.answer?.endpoint ?? null);
  const [refusal, setRefusal] = useState<string | null>(null);
  return (
    <Panel
      title="Judge at an address"
      aside={<span className="tag">{endpoint === null ? "off" : "can be asked"}</span>}
    >
      {endpoint === null ? (
        <EndpointForm onRefusal={setRefusal} />
      ) : (
        <>
          <p className="source-sentence" data-testid="endpoint-leaves">
            {endpoint.sends}
          </p>
          <p className="note">
            {endpoint.model} at {endpoint.url} is asked with: “{endpoint.rubric}”
            {endpoint.hasKey && " The secret is in the trainer’s memory alone and goes with this tab."}
          </p>
          <div className="dialog-actions">
            <UseButton />
            <Button
              size="xs"
              variant="default"
              data-testid="forget-endpoint"
              onClick={() => void tellEndpoint(null).then(setRefusal)}
            >
              Forget it and its secret
            </Button>
          </div>
        </>
      )}
      <Refusal title="The address was not taken." reason={refusal} />
    </Panel>
  );
}

/** An address that may be asked is asked by nobody until it judges. */
function UseButton() {
  const setup = useSetupStore();
  const judges = [...judgesInUse(setup).map(({ judge }) => judge), judgeKeptAside(setup)];
  if (judges.some((judge) => judge?.kind === "endpoint")) return null;
  return (
    <>
      <p className="note">It is asked by no round before it is put in use.</p>
      <Button size="xs" data-testid="put-endpoint-in-use" onClick={() => addJudge({ kind: "endpoint" })}>
        Put it in use
      </Button>
    </>
  );
}

function EndpointForm({ onRefusal }: { readonly onRefusal: (reason: string | null) => void }) {
  const [draft, setDraft] = useState({ url: "", model: "", rubric: startRubric });
  // What is typed there stands in the box alone: no state, no store, no attribute, no link and no file ever holds it.
  const secret = useRef<HTMLInputElement>(null);
  const [isSending, setSending] = useState(false);
  const isAddress = hostOf(draft.url) !== "";
  const send = async () => {
    setSending(true);
    const key = secret.current?.value ?? "";
    if (secret.current !== null) secret.current.value = "";
    const endpoint = { ...draft, url: draft.url.trim().replace(/\/+$/, ""), model: draft.model.trim(), key };
    const refusal = await tellEndpoint(endpoint);
    const again = key === "" ? "" : " The secret was not kept: type it again, too.";
    onRefusal(refusal === null ? null : refusal + again);
    setSending(false);
  };
  return (
    <form
      className="judge-form"
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <p className="note">
        Any address that speaks OpenAI’s chat protocol. Nothing is sent anywhere until this judge is asked.
      </p>
      <TextInput
        size="xs"
        type="url"
        label="Address"
        description="Up to and without /chat/completions."
        placeholder="https://example.org/v1"
        data-testid="endpoint-url"
        value={draft.url}
        error={
          draft.url !== "" && !isAddress ? "An address that begins with https:// or http://." : undefined
        }
        onChange={({ currentTarget }) => setDraft({ ...draft, url: currentTarget.value })}
      />
      <TextInput
        size="xs"
        label="Model"
        data-testid="endpoint-model"
        value={draft.model}
        onChange={({ currentTarget }) => setDraft({ ...draft, model: currentTarget.value })}
      />
      <TextInput
        size="xs"
        type="text"
        label="Secret"
        description="Empty where none is needed. It is handed to the trainer and kept nowhere else."
        classNames={{ input: "endpoint-secret" }}
        // A browser offers to keep what stands in a box for passwords.
        autoComplete="off"
        spellCheck={false}
        autoCapitalize="off"
        data-testid="endpoint-key"
        ref={secret}
      />
      <Textarea
        size="xs"
        autosize
        minRows={2}
        maxRows={8}
        label="What makes an answer good"
        data-testid="endpoint-rubric"
        value={draft.rubric}
        onChange={({ currentTarget }) => setDraft({ ...draft, rubric: currentTarget.value })}
      />
      {isAddress && <Way url={draft.url.trim()} />}
      <div className="dialog-actions">
        <Button
          size="xs"
          type="submit"
          data-testid="use-endpoint"
          loading={isSending}
          disabled={!isAddress || draft.model.trim() === "" || draft.rubric.trim() === ""}
        >
          Allow this address
        </Button>
      </div>
    </form>
  );
}

/** Where texts will go, before any is sent. */
function Way({ url }: { readonly url: string }) {
  const way = wayTo(url);
  const host = <strong>{hostOf(url)}</strong>;
  return (
    <p className="note" data-testid="endpoint-leaves">
      {way === "here" ? (
        <>Every prompt and answer that it scores goes to {host} and does not leave this machine.</>
      ) : (
        <>Every prompt and answer that it scores will leave this machine for {host}.</>
      )}
      {way === "open" && " The address begins with http: others on the way can read them, and the secret."}
    </p>
  );
}

/** The host of an address; empty where it is none. */
function hostOf(url: string): string {
  if (!URL.canParse(url.trim())) return "";
  const { protocol, host } = new URL(url.trim());
  return /^https?:$/.test(protocol) ? host : "";
}
