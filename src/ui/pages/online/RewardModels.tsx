import { Button, FileButton } from "@mantine/core";
import { addJudge, isUsed, judgeKeptAside, judgeList, keepAside } from "../../../state/judges.ts";
import {
  openRewardModel,
  removeRewardModel,
  saveRewardModel,
  useRewardModelStore,
} from "../../../state/rewardModels.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { JudgeSpec, RewardModelQuality, RewardModelSummary } from "../../../worker/protocol.ts";
import { DeleteButton } from "../../components/DeleteButton.tsx";
import { Panel } from "../../components/Panel.tsx";
import { Refusal } from "../../components/Refusal.tsx";
import { formatBytes, formatCount, formatFineShare, formatShare } from "../../format.ts";
import { CalibrationPlot } from "./CalibrationPlot.tsx";

const filesInput = { "aria-label": "Files of a reward model", "data-testid": "reward-files" } as const;

/** The reward models at hand, with how well each tells answers apart. */
export function RewardModels() {
  const models = judgeList.useStore((state) => state.answer?.rewardModels ?? null);
  const refusal = useRewardModelStore((state) => state.refusal);
  return (
    <Panel
      title="Reward models"
      aside={
        <FileButton multiple onChange={(files) => void openRewardModel(files)} inputProps={filesInput}>
          {(props) => (
            <Button {...props} size="compact-xs" variant="default">
              Open files…
            </Button>
          )}
        </FileButton>
      }
    >
      <p className="note">
        A copy of the model that learned from pairs to give the preferred answer the higher number. Its
        figures are from pairs that it was not trained on.
      </p>
      <Refusal title="That did not work." reason={refusal} />
      {models?.length === 0 && (
        <p className="judges-none">There is none yet. Train one below, or open its files.</p>
      )}
      <div className="reward-cards">
        {models?.map((model) => (
          <RewardModelCard key={model.id} model={model} />
        ))}
      </div>
    </Panel>
  );
}

const origins: Record<RewardModelSummary["origin"], string> = {
  embedded: "comes with the studio",
  trained: "trained here",
  opened: "from files",
};

function RewardModelCard({ model }: { readonly model: RewardModelSummary }) {
  const { id, label, origin, quality, problem } = model;
  const newest = useRewardModelStore((state) => state.newest);
  return (
    <article
      className="reward-card"
      aria-label={label}
      data-newest={id === newest}
      data-testid={`reward-${id}`}
    >
      <header className="reward-card-heading">
        <h3>{label}</h3>
        <span className="tag">{origins[origin]}</span>
      </header>
      {problem !== "" && <p className="setting-problem">{problem}</p>}
      {quality === null ? (
        <p className="note">Its files say nothing of how good it is.</p>
      ) : (
        <Quality quality={quality} label={label} />
      )}
      <CardButtons model={model} />
    </article>
  );
}

function CardButtons({ model }: { readonly model: RewardModelSummary }) {
  const setup = useSetupStore();
  const { id, label, origin, problem, sizeBytes } = model;
  const judge: JudgeSpec = { kind: "rewardModel", id };
  const isHere = isUsed(judge, setup);
  const saveText = sizeBytes > 0 ? `Save ${formatBytes(sizeBytes)}` : "Save";
  return (
    <div className="dialog-actions">
      <Button
        size="xs"
        variant="default"
        aria-label={`${isHere ? "In use" : "Put in use"}: ${label}`}
        disabled={isHere || problem !== ""}
        onClick={() => addJudge(judge)}
      >
        {isHere ? "In use" : "Put in use"}
      </Button>
      <Button
        size="xs"
        variant="default"
        aria-label={`Keep aside: ${label}`}
        disabled={isHere || problem !== ""}
        onClick={() => keepAside(judge)}
      >
        Keep aside
      </Button>
      <Button
        size="xs"
        variant="default"
        aria-label={`${saveText}: ${label}`}
        disabled={sizeBytes === 0}
        onClick={() => void saveRewardModel(id)}
      >
        {saveText}
      </Button>
      {origin !== "embedded" && (
        <DeleteButton
          label={label}
          question={deleteQuestion(judge, setup)}
          onDelete={() => removeRewardModel(id)}
        />
      )}
    </div>
  );
}

/** What is lost with a reward model, and who misses it. */
function deleteQuestion(judge: JudgeSpec, setup: Parameters<typeof isUsed>[1]): string {
  const lost = "It is gone unless you saved it.";
  const aside = judgeKeptAside(setup);
  if (isUsed(judge, setup)) return `It is a judge in use: without it no round can be judged. ${lost}`;
  if (aside !== null && JSON.stringify(aside) === JSON.stringify(judge)) {
    return `It is the judge kept aside: without it no round can be checked. ${lost}`;
  }
  return lost;
}

function Quality({ quality, label }: { readonly quality: RewardModelQuality; readonly label: string }) {
  const { data, trainPairs, heldoutPairs, accuracy, low, high, calibrationError } = quality;
  return (
    <>
      <dl className="judge-figures">
        <div>
          <dt>Right on held-out pairs</dt>
          <dd>
            {formatShare(accuracy)}{" "}
            <span className="note">
              {formatShare(low)} to {formatShare(high)}
            </span>
          </dd>
        </div>
        <div>
          <dt>Calibration error</dt>
          <dd>{formatFineShare(calibrationError)}</dd>
        </div>
        <div>
          <dt>Learned from</dt>
          <dd>
            {formatCount(trainPairs)} pairs of {data}; checked on {formatCount(heldoutPairs)}
          </dd>
        </div>
      </dl>
      <CalibrationPlot quality={quality} label={label} />
    </>
  );
}
