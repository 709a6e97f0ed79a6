import { Alert, Button } from "@mantine/core";
import { useDeviceStore } from "../../state/deviceStore.ts";
import { openUnrecognised } from "../../state/mapping.ts";
import { retryDownload } from "../../state/downloads.ts";
import { localId } from "../../state/link.ts";
import { openRefusedModel } from "../../state/localFiles.ts";
import { dismissMessages, useMessageStore, type RaisedMessage } from "../../state/messageStore.ts";
import { goTo } from "../../state/navigation.ts";
import {
  restartTrainer,
  resumeWithLessMemory,
  resumeWithLowerRate,
  trainOnCpu,
} from "../../state/recovery.ts";
import { useRunStore } from "../../state/runStore.ts";
import { useSetupStore } from "../../state/setupStore.ts";
import { takeModel } from "../../state/takeOver.ts";
import { openLayer } from "../../state/viewStore.ts";
import { messageCatalogue, type MessageAction } from "../messages.ts";
import { deviceReportText } from "./CapabilityChip.tsx";
import { copyText } from "./CopyButton.tsx";
import { chooseFiles } from "./FileDoors.tsx";
import { focusSetting } from "./focusSetting.ts";
import { Icon } from "./Icon.tsx";
import { logText } from "./logText.ts";

/** Coded messages; each stays until it is dismissed or its action has solved it. */
export function MessageAlerts() {
  const messages = useMessageStore((state) => state.messages);
  if (messages.length === 0) return null;
  return (
    <div className="messages">
      {messages.map((message) => (
        <Message key={message.id} message={message} />
      ))}
    </div>
  );
}

function Message({ message }: { readonly message: RaisedMessage }) {
  const timedBefore = useSetupStore((state) => state.secondsPerStep);
  const timedInRun = useRunStore((state) => state.secondsPerStep);
  const secondsPerStep = timedBefore ?? timedInRun;
  const baseWeights = useSetupStore((state) => state.config.baseWeights);
  const { tone, title, text, primary, secondary } = messageCatalogue[message.code](message.details, {
    secondsPerStep,
    baseWeights,
  });
  return (
    <Alert
      role="alert"
      className={`message message-${tone}`}
      data-code={message.code}
      icon={<Icon name={tone === "info" ? "info" : "error"} size={18} />}
      title={
        <>
          {title} <span className="message-code">{message.code}</span>
        </>
      }
      withCloseButton
      closeButtonLabel={`Dismiss ${message.code}`}
      onClose={() => {
        dismissMessages(message.code);
      }}
    >
      <p className="message-text">{text}</p>
      <div className="message-actions">
        <Button size="xs" onClick={() => void act(primary.action, message)}>
          {primary.label}
        </Button>
        {secondary !== null && (
          <Button size="xs" variant="default" onClick={() => void act(secondary.action, message)}>
            {secondary.label}
          </Button>
        )}
      </div>
    </Alert>
  );
}

/** Does what a button of a message says. */
export async function act(action: MessageAction, { code, details }: RaisedMessage): Promise<void> {
  const actions: Record<MessageAction, () => unknown> = {
    "train-on-cpu": trainOnCpu,
    "gpu-help": () => openLayer("device"),
    "open-https": () => {
      location.protocol = "https:";
    },
    "copy-report": () => {
      const { report } = useDeviceStore.getState();
      return report === null ? undefined : copyText(deviceReportText(report));
    },
    "show-device": () => openLayer("device"),
    dismiss: () => dismissMessages(code),
    "resume-lower-rate": resumeWithLowerRate,
    "resume-less-memory": resumeWithLessMemory,
    "restart-trainer": restartTrainer,
    "copy-log": () => copyText(logText(useRunStore.getState().log)),
    "choose-files": () => {
      dismissMessages(code);
      chooseFiles(/safetensors|config|tokenizer|model/i.test(JSON.stringify(details)) ? "model" : "data");
    },
    "choose-columns": () => {
      dismissMessages(code);
      openUnrecognised();
    },
    "show-formats": () => openLayer("formats"),
    "review-rows": () => openLayer("rows"),
    "copy-link": () => copyText(String(details["link"])),
    "continue-download": () => retryDownload(String(details["id"])),
    "load-from-disk": () => {
      dismissMessages(code);
      chooseFiles("model");
    },
    "show-models": () => {
      dismissMessages(code);
      goTo({ screen: "models" });
    },
    "save-elsewhere": () => openLayer("export"),
    "use-4-bit": () => {
      const { model } = details;
      if (model === localId) return openRefusedModel("q4");
      return takeModel(String(model ?? useSetupStore.getState().config.model), "q4");
    },
    "show-length": () => focusSetting("maxTokens"),
    "show-settings": () => {
      dismissMessages(code);
      focusSetting("learningRate");
    },
  };
  await actions[action]();
}
