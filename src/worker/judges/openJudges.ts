/** Makes the judges that specifications ask for, from what the worker has at hand. */
import type { AnswerJudge } from "../../engine/judges/answerJudge.ts";
import type { JudgeSpec } from "../../engine/judges/judgeSpec.ts";
import { isProgramSpec, kindLabel, programJudge } from "../../engine/judges/programJudge.ts";
import { placeRewardModel } from "../../engine/rewardModel/rewardModel.ts";
import { refuse } from "../errorReport.ts";
import type { OwnModel } from "../keptReference.ts";
import type { JudgeEndpoint } from "../protocol.ts";
import { endpointJudge } from "./endpointJudge.ts";
import type { EndpointDoor } from "./endpointRequest.ts";
import type { PersonDesk, PersonJudgeSettings } from "./personJudge.ts";
import { programProblem } from "./judgeProblems.ts";
import { rewardModelJudge } from "./rewardModelJudge.ts";
import type { RewardShelf } from "./rewardShelf.ts";

/** What judges are made of. */
export interface JudgeMakings {
  readonly model: () => OwnModel;
  readonly shelf: RewardShelf;
  readonly person: PersonDesk;
  /** The one that stands now; null where none was typed in, or it was forgotten. */
  readonly endpoint: () => JudgeEndpoint | null;
  readonly door: EndpointDoor;
}

/** A judge, and what lets go of what it holds on the device. */
export interface OpenJudge {
  readonly judge: AnswerJudge;
  readonly dispose: () => void;
}

/** Makes one judge. Refuses one that is not at hand. */
export async function openJudge(
  spec: JudgeSpec,
  { model, shelf, person, endpoint, door }: JudgeMakings,
  settings: PersonJudgeSettings,
): Promise<OpenJudge> {
  const holdsNothing = (judge: AnswerJudge): OpenJudge => ({ judge, dispose: () => undefined });
  if (isProgramSpec(spec)) {
    const problem = programProblem(spec);
    return problem === null ? holdsNothing(programJudge(spec)) : refuse("CFG-1", problem);
  }
  switch (spec.kind) {
    case "rewardModel": {
      const owner = model();
      const { reward, card } = await shelf.take(spec.id, owner);
      const placed = placeRewardModel(owner.model, reward);
      const { maxPositions } = owner.model.config;
      const judge = rewardModelJudge(placed, { spec, label: card.label, maxPositions });
      return { judge, dispose: placed.dispose };
    }
    case "person":
      return holdsNothing(person.judge(settings));
    case "endpoint":
      if (endpoint() === null) refuse("CFG-1", "The language model has no address yet.");
      return holdsNothing(endpointJudge(endpoint, door));
    case "implicit":
      return holdsNothing(unopenedPolicy);
  }
}

/** Stands for the policy until a run has one, and puts its own in this one's place. */
const unopenedPolicy: AnswerJudge = {
  spec: { kind: "implicit" },
  label: kindLabel("implicit"),
  score: (answers) => Promise.resolve(answers.map(() => ({ reason: "There is no policy to ask." }))),
};
