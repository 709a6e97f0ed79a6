import { Button } from "@mantine/core";
import {
  cardOf,
  isUsed,
  judgeKeptAside,
  judgeLabel,
  judgeList,
  judgeProblem,
  judgesInUse,
  keepAside,
  removeJudge,
  resetJudges,
  weighJudge,
} from "../../../state/judges.ts";
import { setupProblems, useSetupStore } from "../../../state/setupStore.ts";
import type { JudgeSpec, WeightedJudge } from "../../../worker/protocol.ts";
import { Panel } from "../../components/Panel.tsx";
import { NumberSetting } from "../train/setup/NumberSetting.tsx";

/** The judges whose scores rank, choose and weigh, with what each counts. */
export function JudgesInUse() {
  const setup = useSetupStore();
  const used = judgesInUse(setup);
  const list = judgeList.useStore((state) => state.answer);
  const isOwn = setup.config.judges.length === 0;
  return (
    <Panel
      title="Judges in use"
      aside={
        isOwn ? (
          <span className="tag">the set’s own</span>
        ) : (
          <Button size="compact-xs" variant="default" onClick={resetJudges}>
            Use the set’s own
          </Button>
        )
      }
    >
      <p className="note">
        Their scores, each times its weight, are added. The sum ranks the prompts, chooses the best and the
        worst answer, and weighs the pairs. Scores count as they are: programs stay between −1 and 1, a reward
        model has no limits.
      </p>
      {used.length === 0 && (
        <p className="judges-none" data-testid="no-judge">
          This set brings no judge along. Add one below.
        </p>
      )}
      <ul className="judge-list" data-testid="judges-in-use" data-field="judges" tabIndex={-1}>
        {used.map((judge, place) => (
          <UsedJudge key={JSON.stringify(judge.judge)} used={judge} place={place} isOwn={isOwn} />
        ))}
      </ul>
      {problemsAt("judges", setup)
        .filter((message) => !used.some(({ judge }) => judgeProblem(judge, list) === message))
        .map((message) => (
          <p key={message} className="setting-problem">
            {message}
          </p>
        ))}
    </Panel>
  );
}

interface UsedJudgeProps {
  readonly used: WeightedJudge;
  readonly place: number;
  readonly isOwn: boolean;
}

function UsedJudge({ used: { judge, weight }, place, isOwn }: UsedJudgeProps) {
  const setup = useSetupStore();
  const list = judgeList.useStore((state) => state.answer);
  const label = judgeLabel(judge, list);
  const problem = judgeProblem(judge, list);
  const field = `judges.${place}.weight`;
  return (
    <li>
      <div className="judge-weight">
        <NumberSetting
          field={field}
          label={label}
          help={`${cardOf(judge, list)?.help ?? ""} Its scores are multiplied by this weight.`.trim()}
          value={weight}
          initial={1}
          minimum={-2}
          maximum={2}
          scale="linear"
          problem={setupProblems(setup).find((problem) => problem.field === field)?.message}
          onChange={(next) => weighJudge(place, next)}
        />
        {!isOwn && (
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={`Take ${label} out of use`}
            onClick={() => removeJudge(place)}
          >
            Remove
          </Button>
        )}
      </div>
      {problem !== "" && <p className="setting-problem">{problem}</p>}
    </li>
  );
}

/** The judge that nothing is selected or weighed by. */
export function JudgeKeptAside() {
  const setup = useSetupStore();
  const list = judgeList.useStore((state) => state.answer);
  const aside = judgeKeptAside(setup);
  const isChosen = setup.config.heldoutJudge !== null;
  return (
    <section className="panel judge-aside" aria-label="Judge kept aside" data-testid="judge-aside">
      <header className="panel-heading">
        <h2>Judge kept aside</h2>
        {isChosen ? (
          <Button size="compact-xs" variant="default" onClick={() => keepAside(null)}>
            Use the set’s own
          </Button>
        ) : (
          aside !== null && <span className="tag">the set’s own</span>
        )}
      </header>
      <div className="panel-body">
        <p className="judge-aside-name" data-field="heldoutJudge" tabIndex={-1}>
          <strong>{aside === null ? "None" : judgeLabel(aside, list)}</strong>
        </p>
        <p className="note">
          No selection and no weight ever sees it. It scores the answers to held-out prompts after every round
          and shows when the judges in use are only being pleased.
        </p>
        <AsideProblems aside={aside} />
      </div>
    </section>
  );
}

/** What is wrong with the judge kept aside: what the trainer says of it, or else what the page sees. */
function AsideProblems({ aside }: { readonly aside: JudgeSpec | null }) {
  const setup = useSetupStore();
  const list = judgeList.useStore((state) => state.answer);
  const told = problemsAt("heldoutJudge", setup);
  const seen =
    aside === null
      ? "Without it nobody notices when the score rises and the answers do not."
      : isUsed(aside, setup)
        ? `“${judgeLabel(aside, list)}” is also in use, and so it checks nothing. Keep another one aside.`
        : judgeProblem(aside, list);
  return (told.length > 0 || seen === "" ? told : [seen]).map((message) => (
    <p key={message} className="setting-problem">
      {message}
    </p>
  ));
}

/** What is wrong with a setting, but for the weights, which say so themselves. */
function problemsAt(field: string, setup: Parameters<typeof setupProblems>[0]): string[] {
  return setupProblems(setup)
    .filter(
      (problem) =>
        problem.field === field ||
        (problem.field.startsWith(`${field}.`) && !problem.field.endsWith(".weight")),
    )
    .map(({ message }) => message);
}
