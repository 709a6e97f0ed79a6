import { Skeleton } from "@mantine/core";
import { useEffect } from "react";
import { project, writeProject } from "../../../state/project.ts";
import { setupProblems, useSetupStore } from "../../../state/setupStore.ts";
import { Refusal } from "../Refusal.tsx";
import { ProjectFiles } from "./ProjectFiles.tsx";

/** The setup as a Python project for a cluster. */
export function ProjectTab() {
  const setup = useSetupStore();
  const [problem] = setupProblems(setup);
  const { answer, refusal, isAsking } = project.useStore();
  useEffect(writeProject, [setup.config, setup.model, setup.data]);
  if (problem !== undefined)
    return (
      <p>
        The setup cannot be trained yet: {problem.field}: {problem.message}
      </p>
    );
  return (
    <>
      <p className="note">
        This setup for TRL and PEFT: a script, its settings, the pairs as they are trained, and the values
        that the adapter starts from. Its first step has the studio’s loss.
      </p>
      <Refusal
        title="It was not written."
        reason={refusal}
        onRetry={() => void project.ask({ config: setup.config })}
      />
      {isAsking && <Skeleton height={160} radius={6} animate={false} />}
      {!isAsking && answer !== null && <ProjectFiles name="trl-project" files={answer} />}
    </>
  );
}
